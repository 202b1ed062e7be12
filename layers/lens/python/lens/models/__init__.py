"""Models: a network that embeds photos, its manifest, and the pixels that it takes."""
