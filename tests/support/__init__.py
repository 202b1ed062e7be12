"""Helpers of several folders of tests: a tiny model, photos, galleries, S3 and SQS in memory."""
