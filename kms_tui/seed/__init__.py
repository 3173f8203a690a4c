"""Seeds: files of keys, principals and account policies that a store is filled with, and back.

``seed_reading.read_seed`` reads one, ``seed_application.apply_seed`` makes it, ``seed_export.export_seed``
writes a store as one. Within, ``seed_text`` reads YAML, JSON and TOML, ``seed_shape`` holds them to
``seed.schema.json``, ``seed_keys`` and ``seed_principals`` read what they mean into ``seed_model``;
``key_making`` makes it by real calls.
"""
