"""Fetching: the bytes of a photo that someone else's server has."""
