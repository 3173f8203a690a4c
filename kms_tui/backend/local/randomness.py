"""GenerateRandom."""

from __future__ import annotations

import os

from kms_tui.backend.local.call import Call, JsonShape
from kms_tui.backend.local.keystores_rows import key_store, require_connected
from kms_tui.backend.local.keystores_settings import CLOUD_HSM
from kms_tui.backend.local.usage import require_no_recipient
from kms_tui.kms.errors import ServiceError


def generate_random(call: Call) -> JsonShape:
    call.authorise(call, None, "kms:GenerateRandom")
    if "NumberOfBytes" not in call.params:
        raise ServiceError("ValidationException", "NumberOfBytes is required.")
    require_no_recipient(call)
    if "CustomKeyStoreId" in call.params:
        found = key_store(call, call.params["CustomKeyStoreId"])
        if found.kind != CLOUD_HSM:
            raise ServiceError(
                "UnsupportedOperationException", "GenerateRandom is not supported in an external key store."
            )
        require_connected(found)
    return {"Plaintext": os.urandom(call.params["NumberOfBytes"])}


OPERATIONS = {"GenerateRandom": generate_random}
