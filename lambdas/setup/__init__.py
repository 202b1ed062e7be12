"""Lambda function: gives a new deployment its first model and an empty gallery."""
