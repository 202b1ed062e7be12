"""Lambda function: advanced heads to shorter tails."""
