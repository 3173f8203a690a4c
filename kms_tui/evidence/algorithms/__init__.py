"""Which algorithms the keys have, how strong they are, and what a quantum computer would break."""
