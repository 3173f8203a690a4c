"""The policy workspace: the editor with its guard, the history, and the simulation of requests."""
