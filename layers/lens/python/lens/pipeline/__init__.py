"""The pipeline: what changes the gallery, a stage a file."""
