"""The build_index function: segment events in, commits out; compact builds the FAISS index."""
