"""What becomes of a trained model: gates, verdict, report, records."""
