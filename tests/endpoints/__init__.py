"""Endpoints that tests and benchmarks talk to."""
