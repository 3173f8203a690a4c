"""The store's tables, one migration after another; a migration that has been released never changes.

Times are milliseconds since 1970 (UTC). ``due_at`` is the next moment at which something happens to a key
by itself: a rotation, its deletion, the end of a transient state, the expiry of imported material.
"""

from __future__ import annotations

KEEP = (
    "Copy the store, with its -wal and .key files if there are any, to a safe place before anything else. "
    "Then look at a backup under a name of its own: --store BACKUP."
)
"""The next step where a store is damaged: a backup put over it would take what is newer."""
VERIFY = "Run `kms-tui store verify`, which says what is wrong with it."
"""The next step where it is not known what is damaged, or how much."""
APPLICATION_ID = 0x6B6D7374
"""``kmst`` in the SQLite header: what tells our store from any other SQLite file."""

_FOUNDATION = """
CREATE TABLE migrations (
    version     INTEGER PRIMARY KEY,
    applied_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE root_key (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    protection  TEXT NOT NULL,
    parameters  TEXT NOT NULL,
    sealed      BLOB NOT NULL
) STRICT;

CREATE TABLE keys (
    row                  INTEGER PRIMARY KEY,
    account              TEXT NOT NULL,
    region               TEXT NOT NULL,
    key_id               TEXT NOT NULL,
    manager              TEXT NOT NULL,
    spec                 TEXT NOT NULL,
    usage                TEXT NOT NULL,
    origin               TEXT NOT NULL,
    state                TEXT NOT NULL,
    available            INTEGER NOT NULL,
    description          TEXT NOT NULL,
    created_at           INTEGER NOT NULL,
    multi_region         INTEGER NOT NULL,
    primary_region       TEXT,
    deletion_at          INTEGER,
    pending_window       INTEGER,
    rotation_period      INTEGER,
    next_rotation_at     INTEGER,
    settles_at           INTEGER,
    settles_to           TEXT,
    expires_at           INTEGER,
    custom_key_store_id  TEXT,
    xks_key_id           TEXT,
    due_at               INTEGER
) STRICT;
CREATE UNIQUE INDEX keys_by_id ON keys (account, region, key_id);
CREATE INDEX keys_related ON keys (account, key_id) WHERE multi_region = 1;
CREATE INDEX keys_due ON keys (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX keys_in_key_store ON keys (custom_key_store_id) WHERE custom_key_store_id IS NOT NULL;

CREATE TABLE materials (
    row               INTEGER PRIMARY KEY,
    key               INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    material_id       TEXT NOT NULL,
    state             TEXT NOT NULL,
    wrapped           BLOB,
    created_at        INTEGER NOT NULL,
    rotated_at        INTEGER,
    rotation_type     TEXT,
    import_state      TEXT,
    expiration_model  TEXT,
    valid_to          INTEGER,
    description       TEXT
) STRICT;
CREATE UNIQUE INDEX materials_by_id ON materials (key, material_id);
CREATE UNIQUE INDEX materials_current ON materials (key) WHERE state = 'CURRENT';

CREATE TABLE aliases (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    key         INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (account, region, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_of_key ON aliases (key, name);

CREATE TABLE policies (
    key      INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    name     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    text     TEXT NOT NULL,
    put_at   INTEGER NOT NULL,
    put_by   TEXT NOT NULL,
    PRIMARY KEY (key, name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    row        INTEGER PRIMARY KEY,
    key        INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    tag_key    TEXT NOT NULL,
    tag_value  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tags_of_key ON tags (key, tag_key);

CREATE TABLE events (
    row        INTEGER PRIMARY KEY,
    event_id   TEXT NOT NULL,
    at         INTEGER NOT NULL,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    operation  TEXT NOT NULL,
    key_id     TEXT,
    caller     TEXT NOT NULL,
    error      TEXT NOT NULL,
    request    TEXT NOT NULL
) STRICT;

CREATE TABLE last_uses (
    key        INTEGER PRIMARY KEY REFERENCES keys ON DELETE CASCADE,
    operation  TEXT NOT NULL,
    at         INTEGER NOT NULL,
    event_id   TEXT NOT NULL
) STRICT;
"""

_GRANTS = """
CREATE TABLE grants (
    row                INTEGER PRIMARY KEY,
    key                INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    grant_id           TEXT NOT NULL,
    name               TEXT NOT NULL,
    grantee            TEXT NOT NULL,
    grantee_service    TEXT NOT NULL,
    retiring           TEXT NOT NULL,
    retiring_service   TEXT NOT NULL,
    operations         TEXT NOT NULL,
    constraints        TEXT NOT NULL,
    issuing_account    TEXT NOT NULL,
    created_at         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX grants_by_id ON grants (grant_id);
CREATE INDEX grants_of_key ON grants (key, row);
CREATE INDEX grants_by_name ON grants (key, name) WHERE name <> '';
CREATE INDEX grants_retirable ON grants (retiring) WHERE retiring <> '';
CREATE INDEX grants_retirable_by_service ON grants (retiring_service) WHERE retiring_service <> '';
"""

_KEY_STORES = """
CREATE TABLE custom_key_stores (
    row               INTEGER PRIMARY KEY,
    account           TEXT NOT NULL,
    region            TEXT NOT NULL,
    store_id          TEXT NOT NULL UNIQUE,
    name              TEXT NOT NULL,
    kind              TEXT NOT NULL,
    connection_state  TEXT NOT NULL,
    settings          TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    UNIQUE (account, region, name)
) STRICT;
"""

_TRAIL = """
ALTER TABLE events ADD COLUMN key_account TEXT;
ALTER TABLE events ADD COLUMN source_key TEXT;
ALTER TABLE events ADD COLUMN message TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN agent TEXT NOT NULL DEFAULT '';
UPDATE events SET key_account = account WHERE key_id IS NOT NULL;
CREATE INDEX events_of_key ON events (key_id, at) WHERE key_id IS NOT NULL;
CREATE INDEX events_of_source_key ON events (source_key, at) WHERE source_key IS NOT NULL;
"""
"""Events as CloudTrail tells them: whose key it was, the ARN of ReEncrypt's other key, the error's text, and
from where. Events from before know less.
"""

_ACCOUNT_POLICIES = """
CREATE TABLE account_policies (
    row      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    account  TEXT NOT NULL,
    name     TEXT NOT NULL,
    content  TEXT NOT NULL,
    UNIQUE (kind, account, name)
) STRICT;
"""
"""What the account's IAM, organization and VPC endpoints hold (``account_policies/account_rows.py``). All
rows are replaced together, and AUTOINCREMENT gives no number twice: the highest tells the state of all.
"""

_FIXED_MATERIAL = """
ALTER TABLE materials ADD COLUMN fixed INTEGER NOT NULL DEFAULT 0;
"""
"""Whether the bytes of key material came from a seed: whoever has the seed has the key."""

MIGRATIONS: tuple[str, ...] = (_FOUNDATION, _GRANTS, _KEY_STORES, _TRAIL, _ACCOUNT_POLICIES, _FIXED_MATERIAL)
"""SQL that leads from version n to n + 1; the store's version is how many of them it has seen."""
