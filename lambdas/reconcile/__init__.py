"""Lambda function: the catalog's listing to looks at what the gallery missed."""
