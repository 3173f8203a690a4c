"""What is not KMS but decides about keys: their cost, their health, who used them, what depends on them."""
