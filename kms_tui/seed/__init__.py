"""Seeds: files of keys, principals and account policies that a store is filled with, and back.

``seed_text`` reads YAML, JSON and TOML, ``seed_shape`` holds them to ``seed.schema.json``, ``seed_keys`` and
``seed_principals`` read what they mean into ``seed_model``; ``seed_application`` makes it by real calls.
"""
