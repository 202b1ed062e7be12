"""Layouts: how a shop's folders and file names say which photos are one product."""
