"""Lambda function: removes what nothing reaches any more."""
