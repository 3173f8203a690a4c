"""Terraform's state and plans, held against the keys of the account by meaning."""
