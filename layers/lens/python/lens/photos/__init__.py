"""Photos: which keys are photos, what they show, how they are decoded; their thumbnails' files."""
