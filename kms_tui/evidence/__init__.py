"""Evidence for decisions about keys: their cost and health, who used them, and what depends on them."""
