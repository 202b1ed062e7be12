"""Photos: which keys are photos and what they show, decoding them, and their thumbnails' files."""
