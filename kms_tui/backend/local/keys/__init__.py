"""Keys and what belongs to them: finding, making, metadata, aliases, tags, policies, grants, rotation."""
