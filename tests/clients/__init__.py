"""Clients of the API: generated from its document, and the examples of docs/api.md."""
