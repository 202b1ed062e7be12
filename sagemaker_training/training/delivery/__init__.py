"""Delivery of a trained model: the gates, the verdict, the report and the records."""
