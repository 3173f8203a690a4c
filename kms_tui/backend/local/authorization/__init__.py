"""Who calls, and whether the key policy, IAM policies and grants let them."""
