"""The default model: a trained one that lies beside this file, and is written to new artifacts."""
