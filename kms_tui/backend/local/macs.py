"""GenerateMac and VerifyMac."""

from __future__ import annotations

import hmac
from typing import cast

from kms_tui.backend.local.call import Call, JsonShape
from kms_tui.backend.local.usage import current, key_for
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyUsage


def generate_mac(call: Call) -> JsonShape:
    return {"Mac": _mac(call), **_answer(call)}


def verify_mac(call: Call) -> JsonShape:
    if not hmac.compare_digest(_mac(call), call.params["Mac"]):
        raise ServiceError("KMSInvalidMacException", "")
    return {"MacValid": True, **_answer(call)}


def _mac(call: Call) -> bytes:
    algorithm = call.params["MacAlgorithm"]
    key = key_for(call, call.params["KeyId"], KeyUsage.GENERATE_VERIFY_MAC, algorithm)
    call.dry_run()
    secret = cast(bytes, current(call, key)[1])
    call.used(key)
    return hmac.digest(secret, call.params["Message"], algorithm.removeprefix("HMAC_").replace("SHA_", "sha"))


def _answer(call: Call) -> JsonShape:
    key = call.key
    return {"MacAlgorithm": call.params["MacAlgorithm"], **({"KeyId": call.arn(key)} if key else {})}


OPERATIONS = {"GenerateMac": generate_mac, "VerifyMac": verify_mac}
