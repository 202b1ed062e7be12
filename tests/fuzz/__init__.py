"""Fuzzing: files and requests that nobody meant, each by a number that gives the same again."""
