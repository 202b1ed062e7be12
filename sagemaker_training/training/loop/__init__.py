"""The training loop: batches, losses, checkpoints and scores."""
