"""The contract of KMS, as one suite that every backend passes."""
