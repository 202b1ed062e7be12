"""The build_index function: segment events in, commits out."""
