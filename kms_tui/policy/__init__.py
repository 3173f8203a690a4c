"""Key policies as values: parsing, evaluation, the lockout guard, findings. Pure."""
