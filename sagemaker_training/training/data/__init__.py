"""The photos to train on: their labels, their pixels and their augmentation."""
