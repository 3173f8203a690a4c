"""The objects of an S3 bucket on their way to another key: one job of S3 Batch Operations, and no copies."""
