"""The setup function: once in every deployment, before any event."""
