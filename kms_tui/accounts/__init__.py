"""Several accounts in one session: which they are, and each opened when it is first asked."""
