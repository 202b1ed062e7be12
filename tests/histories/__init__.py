"""Histories: a world of events, workers and readers in which the gallery's rules are tested."""
