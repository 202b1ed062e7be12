"""Evaluation: protocols, and the figures of how well a model finds."""
