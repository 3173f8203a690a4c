"""Keys as infrastructure code: written so that a first plan changes nothing, and held against state."""
