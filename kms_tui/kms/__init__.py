"""What KMS is: its nouns, its key specs, its ARNs and its errors. Pure: no I/O, no boto3, no textual."""
