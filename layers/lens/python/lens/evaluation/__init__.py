"""Evaluation: protocols, metrics, and the score of a model under a protocol."""
