"""Measurements on photos that are not part of this repository; run by hand."""
