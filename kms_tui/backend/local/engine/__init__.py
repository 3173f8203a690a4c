"""What every operation goes through: one call with its record, request validation, key states, pages."""
