"""The photos to train on: their labels, their pixels, and how they are varied."""
