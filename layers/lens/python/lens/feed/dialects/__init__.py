"""Dialects: the product files of common shop systems, each told in Google Merchant's fields."""
