"""Mutation testing: each small change to the code must be noticed by a test."""
