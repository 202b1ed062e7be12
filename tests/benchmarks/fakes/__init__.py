"""Benchmarks for the tests of the harness: one that measures, one that breaks, one that hangs."""
