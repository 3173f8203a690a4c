"""Checks of a key's state, use, rotation and names."""

from __future__ import annotations

from datetime import datetime, timedelta

from kms_tui.evidence.health.examined import Examined, Settings, Unsure, Verdict, known
from kms_tui.inventory.cells import length_between, span
from kms_tui.kms.model import KeyState
from kms_tui.policy.describe import listed, quoted


def pending_deletion(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    key = examined.key
    if key.deletion_date is None:
        return "It is deleted after its replicas; data that it encrypted cannot be decrypted after that."
    return (
        f"It is deleted on {key.deletion_date:%Y-%m-%d}, {_ahead(key.deletion_date, now)}; data that it "
        "encrypted cannot be decrypted after that."
    )


def unavailable(examined: Examined, _settings: Settings, _now: datetime) -> Verdict:
    if examined.key.state != KeyState.UNAVAILABLE:
        return None
    return (
        f"Its custom key store {examined.key.custom_key_store_id} is not connected: the key cannot be used."
    )


def material_missing(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    key = examined.key
    if key.state == KeyState.PENDING_IMPORT:
        return "It has no key material, or not all of it: it can neither encrypt nor decrypt."
    if key.valid_to is not None and key.valid_to <= now:
        return f"Its key material expired on {key.valid_to:%Y-%m-%d}, {span(now - key.valid_to)} ago."
    return None


def material_expires(examined: Examined, settings: Settings, now: datetime) -> Verdict:
    valid_to = examined.key.valid_to
    if valid_to is None or not now < valid_to <= now + timedelta(days=settings.expires_days):
        return None
    return (
        f"Its key material expires on {valid_to:%Y-%m-%d}, {_ahead(valid_to, now)}; after that, data that it "
        "encrypted cannot be decrypted."
    )


def rotation_off(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    status = known(examined.rotation)
    if status.enabled:
        return None
    created = examined.key.created
    return "Automatic rotation is off" + (f"; the key is {span(now - created)} old." if created else ".")


def disabled_long(examined: Examined, settings: Settings, now: datetime) -> Verdict:
    since = known(examined.disabled_since)
    if now - since.moment < timedelta(days=settings.disabled_days):
        if since.before:
            return Unsure(f"it was disabled at some time before {since.moment:%Y-%m-%d}")
        return None
    day = f"{since.moment:%Y-%m-%d}"
    if since.before:
        return f"It has been disabled since before {day}, for more than {span(now - since.moment)}."
    return f"It has been disabled since {day}, for {span(now - since.moment)}."


def unused(examined: Examined, settings: Settings, now: datetime) -> Verdict:
    """No use within the given days; a younger key passes."""
    use, created = known(examined.last_usage), examined.key.created
    long_ago = now - timedelta(days=settings.unused_days or 0)
    if use.time is not None:
        if use.time > long_ago:
            return None
        return f"Its last use was {use.operation} on {use.time:%Y-%m-%d}, {span(now - use.time)} ago."
    if created is not None and created > long_ago:
        return None
    if use.tracking_start is None or use.tracking_start > long_ago:
        began = f"{use.tracking_start:%Y-%m-%d}" if use.tracking_start else "an unknown day"
        return Unsure(f"KMS has tracked uses only since {began}, and saw none")
    return f"No use has been seen since {use.tracking_start:%Y-%m-%d}, when KMS began to track it."


def no_alias(examined: Examined, _settings: Settings, _now: datetime) -> Verdict:
    if known(examined.aliases):
        return None
    description = examined.key.description
    known_as = f"its description is {quoted(description)}" if description else "it has no description either"
    return f"It has no alias; {known_as}."


def tags_missing(examined: Examined, settings: Settings, _now: datetime) -> Verdict:
    present = {tag.key for tag in known(examined.tags)}
    lacking = [quoted(name) for name in settings.required_tags if name not in present]
    if not lacking:
        return None
    return f"It has no tag {listed(lacking, 4, 'or')}; it has {len(present)} in all."


def _ahead(moment: datetime, now: datetime) -> str:
    return f"in {span(length_between(moment, now))}" if moment > now else "which has passed"
