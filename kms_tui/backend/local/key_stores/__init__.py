"""Custom key stores: their operations, their rows, and what backs them."""
