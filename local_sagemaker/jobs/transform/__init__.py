"""Batch transform: a model's serve program asked about every record of a data set in S3."""
