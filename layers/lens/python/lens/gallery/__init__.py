"""The gallery: what can be found, as it is stored and as it is loaded; nothing is decided here."""
