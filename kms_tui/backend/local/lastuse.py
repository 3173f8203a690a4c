"""GetKeyLastUsage."""

from __future__ import annotations

from kms_tui.backend.local.call import Call, JsonShape
from kms_tui.backend.local.clock import to_datetime
from kms_tui.backend.local.references import find_key


def get_key_last_usage(call: Call) -> JsonShape:
    key = find_key(call, call.params["KeyId"])
    row = call.store.one("SELECT operation, at, event_id FROM last_uses WHERE key = ?", (key.row,))
    usage: JsonShape = {}
    if row:
        operation, at, event_id = row
        usage = {"Operation": operation, "Timestamp": to_datetime(at), "CloudTrailEventId": event_id}
    created = to_datetime(key.created_at)
    # Use has been recorded since the store's first day, so for every key since its own.
    return {
        "KeyId": key.key_id,
        "KeyLastUsage": usage,
        "TrackingStartDate": created,
        "KeyCreationDate": created,
    }


OPERATIONS = {"GetKeyLastUsage": get_key_last_usage}
