"""Who calls the offline KMS: access keys, the principals that they stand for, and temporary ones."""
