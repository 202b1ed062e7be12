"""The shopper protocol: how the product answers photos that people take."""
