"""Frozen networks: from checkpoints, with a classifier on top, and where they look."""
