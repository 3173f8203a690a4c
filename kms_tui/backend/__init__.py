"""The backend interface, its two implementations, its wrappers, and the typed façade over it."""
