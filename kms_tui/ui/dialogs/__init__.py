"""Questions that any screen or action may ask, and texts to read."""
