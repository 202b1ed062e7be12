"""The search function: the HTTP API over a warm model and gallery."""
