"""The offline KMS in other people's tests: in process, for any boto3 client, without a port or a network.

    from kms_tui.testing import THROTTLE, LocalKms

    with LocalKms(seed="seed.yaml") as kms:
        client = boto3.client("kms", region_name="eu-west-1")
        client.encrypt(KeyId="alias/app", Plaintext=b"...")
        kms.clock.advance(days=400)                       # rotations and deletions follow
        kms.faults.plan("Decrypt", THROTTLE, THROTTLE)    # the next two calls
        assert kms.calls.count("Encrypt") == 1

With pytest the fixture ``local_kms`` gives each test such a KMS, in the state of the seed.
"""

from kms_tui.backend.local.attestation.attestation_making import AttestationAuthority, attestation_document
from kms_tui.backend.local.attestation.attestations import AttestationTrust
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.control.call_journal import CallJournal, JournalCall
from kms_tui.control.clock import ControlledClock
from kms_tui.control.fault_rules import ANY, FaultRules
from kms_tui.control.faults import (
    DENY,
    EXPIRED,
    INTERNAL,
    OK,
    SKEWED,
    THROTTLE,
    UNAVAILABLE,
    Answer,
    Drop,
    Fault,
    Half,
    Hang,
    Raw,
    Refuse,
    ShortPage,
    Stale,
)
from kms_tui.control.kms_control import KmsSnapshot
from kms_tui.testing.local_kms import LocalKms, SeedSource

__all__ = [
    "ANY",
    "DENY",
    "EXPIRED",
    "INTERNAL",
    "OK",
    "SKEWED",
    "THROTTLE",
    "UNAVAILABLE",
    "AccessKey",
    "Answer",
    "AttestationAuthority",
    "AttestationTrust",
    "CallJournal",
    "ControlledClock",
    "Drop",
    "Fault",
    "FaultRules",
    "Half",
    "Hang",
    "JournalCall",
    "KmsSnapshot",
    "LocalKms",
    "Raw",
    "Refuse",
    "SeedSource",
    "ShortPage",
    "Stale",
    "attestation_document",
]
