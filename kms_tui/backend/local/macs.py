"""GenerateMac and VerifyMac."""

from __future__ import annotations

import hmac
from typing import cast

from kms_tui.backend.local.call import Call, JsonShape
from kms_tui.backend.local.rows import KeyRow
from kms_tui.backend.local.usage import current, key_for
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyUsage


def generate_mac(call: Call) -> JsonShape:
    key, mac = _mac(call)
    return {"Mac": mac, **_answer(call, key)}


def verify_mac(call: Call) -> JsonShape:
    key, mac = _mac(call)
    if not hmac.compare_digest(mac, call.params["Mac"]):
        raise ServiceError("KMSInvalidMacException", "")
    return {"MacValid": True, **_answer(call, key)}


def _mac(call: Call) -> tuple[KeyRow, bytes]:
    algorithm = call.params["MacAlgorithm"]
    key = key_for(call, call.params["KeyId"], KeyUsage.GENERATE_VERIFY_MAC, algorithm)
    secret = cast(bytes, current(call, key)[1])
    hash_name = algorithm.removeprefix("HMAC_").replace("SHA_", "sha")
    return key, hmac.digest(secret, call.params["Message"], hash_name)


def _answer(call: Call, key: KeyRow) -> JsonShape:
    call.dry_run()
    call.used(key)
    return {"MacAlgorithm": call.params["MacAlgorithm"], "KeyId": call.arn(key)}


OPERATIONS = {"GenerateMac": generate_mac, "VerifyMac": verify_mac}
