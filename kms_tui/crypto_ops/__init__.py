"""The scratchpad without its screen: which operations a key offers, what each needs, and what comes of it.

``operations`` is THE table; ``settings`` what can be chosen for each; ``request`` what a person asked for,
whole and checked; ``limits`` what happens to an input that is too long; ``calls`` the API calls that a
request becomes; ``run`` makes them; ``results`` reads the answers; ``explain`` says what an error means and
which field it belongs to; ``history`` remembers what was done, without content.
"""
