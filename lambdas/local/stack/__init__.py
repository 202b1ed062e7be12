"""A deployed stack, used from this machine: its outputs, photo uploads and training jobs."""
