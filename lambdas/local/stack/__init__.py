"""A deployed stack, as this machine asks it, fills it and trains on it."""
