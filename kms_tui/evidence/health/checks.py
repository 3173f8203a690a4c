"""THE table of checks: the keys that each applies to, the facts that it needs, the advice.

Severities are ours, as a key's owner would rank them; Security Hub rates KMS.3 and KMS.5 critical and KMS.4
medium. Its controls and their titles: the Security Hub user guide, kms-controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from kms_tui.evidence.health import policy_checks, state_checks
from kms_tui.evidence.health.examined import Examined, Need, Settings, Unsure, Verdict
from kms_tui.inventory.row_health import FINDING_WORDS, HealthSeverity
from kms_tui.kms.errors import AnswerError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyOrigin, KeyState


@dataclass(frozen=True, slots=True)
class Control:
    """A control of AWS Security Hub."""

    id: str
    title: str

    def __str__(self) -> str:
        return f"{self.id} {self.title}"


@dataclass(frozen=True, slots=True)
class Check:
    """One check; ``judge`` is called only for keys that it ``applies`` to and whose ``needs`` are known.

    ``advice`` says what to do. ``is_enabled`` says whether the settings ask for the check.
    """

    id: str
    severity: HealthSeverity
    judge: Callable[[Examined, Settings, datetime], Verdict]
    advice: str
    needs: tuple[Need, ...] = ()
    applies: Callable[[Key], bool] = lambda _key: True
    control: Control | None = None
    is_enabled: Callable[[Settings], bool] = lambda _settings: True

    @property
    def title(self) -> str:
        """What it finds, in the words of the key list."""
        return FINDING_WORDS[self.id].capitalize()

    def verdict(self, examined: Examined, settings: Settings, now: datetime) -> Verdict:
        """What ``judge`` says; a malformed answer of KMS fails this check of this key only."""
        try:
            return self.judge(examined, settings, now)
        except (ValueError, TypeError, AttributeError) as error:
            return Unsure(str(AnswerError.of(error)).removesuffix("."))


_NOT_DELETED = Control("KMS.3", "AWS KMS keys should not be deleted unintentionally")
_ROTATES = Control("KMS.4", "AWS KMS key rotation should be enabled")
_NOT_PUBLIC = Control("KMS.5", "KMS keys should not be publicly accessible")
_PENDING = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


def _is_pending_deletion(key: Key) -> bool:
    return key.state in _PENDING


def _is_kept(key: Key) -> bool:
    """A key pending deletion gets only the check of its deletion."""
    return key.state not in _PENDING


def _can_rotate(key: Key) -> bool:
    """EnableKeyRotation: enabled symmetric encryption keys with material from KMS."""
    return key.state == KeyState.ENABLED and key.spec == SYMMETRIC_DEFAULT and key.origin == KeyOrigin.AWS_KMS


def _is_replica(key: Key) -> bool:
    return _is_kept(key) and key.multi_region is not None and not key.multi_region.is_primary


def _is_imported(key: Key) -> bool:
    return _is_kept(key) and key.origin == KeyOrigin.EXTERNAL


def _is_in_key_store(key: Key) -> bool:
    return _is_kept(key) and bool(key.custom_key_store_id)


CHECKS: tuple[Check, ...] = (
    Check(
        "pending-deletion",
        HealthSeverity.HIGH,
        state_checks.pending_deletion,
        "Cancel the deletion (CancelKeyDeletion) unless no one needs the data that it encrypted.",
        applies=_is_pending_deletion,
        control=_NOT_DELETED,
    ),
    Check(
        "public-policy",
        HealthSeverity.HIGH,
        policy_checks.public,
        'Name principals instead of "*", or limit the account with a condition on kms:CallerAccount.',
        (Need.POLICY,),
        _is_kept,
        _NOT_PUBLIC,
    ),
    Check(
        "no-account-control",
        HealthSeverity.HIGH,
        policy_checks.no_control,
        "Add a statement that allows kms:* to the account's root ARN, while someone still can.",
        (Need.POLICY,),
        _is_kept,
    ),
    Check(
        "external-administration",
        HealthSeverity.HIGH,
        policy_checks.external_administration,
        "Leave administration to principals of the key's own account.",
        (Need.POLICY,),
        _is_kept,
    ),
    Check(
        "unavailable",
        HealthSeverity.HIGH,
        state_checks.unavailable,
        "Connect the key store again (ConnectCustomKeyStore); DescribeCustomKeyStores says what failed.",
        applies=_is_in_key_store,
    ),
    Check(
        "material-missing",
        HealthSeverity.HIGH,
        state_checks.material_missing,
        "Import the same key material again; the key then decrypts what it encrypted.",
        applies=_is_imported,
    ),
    Check(
        "material-expires",
        HealthSeverity.MEDIUM,
        state_checks.material_expires,
        "Import the same material again with a later date, or without one.",
        applies=_is_imported,
    ),
    Check(
        "rotation-off",
        HealthSeverity.MEDIUM,
        state_checks.rotation_off,
        "Turn automatic rotation on (EnableKeyRotation), at the primary if there are replicas; existing "
        "ciphertexts still decrypt.",
        (Need.ROTATION,),
        _can_rotate,
        _ROTATES,
    ),
    Check(
        "conditional-control",
        HealthSeverity.MEDIUM,
        policy_checks.conditional_control,
        "Let the statement for the account's root ARN allow kms:* without a condition.",
        (Need.POLICY,),
        _is_kept,
    ),
    Check(
        "cross-account",
        HealthSeverity.MEDIUM,
        policy_checks.cross_account,
        "Make sure that each of these accounts is intended, and name roles rather than whole accounts.",
        (Need.POLICY,),
        _is_kept,
    ),
    Check(
        "unbound-service",
        HealthSeverity.MEDIUM,
        policy_checks.unbound_service,
        "Add a condition on aws:SourceArn or aws:SourceAccount to the service's statement.",
        (Need.POLICY,),
        _is_kept,
    ),
    Check(
        "replica-policy",
        HealthSeverity.MEDIUM,
        policy_checks.replica_differs,
        "Give the replica its primary's policy, or the primary the replica's: KMS does not copy them.",
        (Need.POLICY, Need.PRIMARY_POLICY),
        _is_replica,
    ),
    Check(
        "disabled-long",
        HealthSeverity.LOW,
        state_checks.disabled_long,
        "Schedule its deletion if no one has missed it, or enable it again: a disabled key costs the same.",
        (Need.DISABLED_SINCE,),
        lambda key: key.state == KeyState.DISABLED,
    ),
    Check(
        "unused",
        HealthSeverity.LOW,
        state_checks.unused,
        "Disable it, and watch for refused uses before you schedule its deletion.",
        (Need.LAST_USAGE,),
        lambda key: key.state == KeyState.ENABLED,
        is_enabled=lambda settings: settings.unused_days is not None,
    ),
    Check(
        "no-alias",
        HealthSeverity.LOW,
        state_checks.no_alias,
        "Give it an alias that says what it is for.",
        (Need.ALIASES,),
        _is_kept,
    ),
    Check(
        "tags-missing",
        HealthSeverity.LOW,
        state_checks.tags_missing,
        "Add the tags that the configuration asks for under required_tags.",
        (Need.TAGS,),
        _is_kept,
        is_enabled=lambda settings: bool(settings.required_tags),
    ),
)
"""By severity; findings in a report are in this order."""


def chosen_checks(settings: Settings, checks: Iterable[Check] = CHECKS) -> tuple[Check, ...]:
    """The checks that the settings ask for."""
    return tuple(check for check in checks if check.is_enabled(settings))
