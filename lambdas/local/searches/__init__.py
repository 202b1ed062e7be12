"""Searches: what people looked for and found, counted from the search log."""
