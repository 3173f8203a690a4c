"""The screens of the modes, and those that open on top of them."""
