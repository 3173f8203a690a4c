"""The backend interface, its two implementations (``aws``, ``local``), its wrappers, and ``Kms`` over it."""
