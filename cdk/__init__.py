"""What is deployed: one stack, one construct a file, in the pipeline's order."""
