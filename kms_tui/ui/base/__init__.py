"""Nouns and services that every other room of the UI uses."""
