"""Authorize: who may ask the API where its deployment gives out keys."""
