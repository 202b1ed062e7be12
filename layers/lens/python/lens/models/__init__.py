"""Models: the network that embeds photos, its manifest, and its input pixels."""
