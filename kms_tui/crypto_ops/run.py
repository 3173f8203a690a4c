"""Runs a request: the only way from the scratchpad to KMS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops import sealing, signing
from kms_tui.crypto_ops.calls import direct, in_region, with_second_read
from kms_tui.crypto_ops.check import check
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.results import Result
from kms_tui.crypto_ops.scratchpad_operations import OperationName
from kms_tui.envelope.streams import NO_PROGRESS, Progress

_RUNNERS: Mapping[OperationName, Callable[[OperationRequest, Kms, Progress], Result]] = {
    OperationName.ENCRYPT: sealing.encrypt,
    OperationName.DECRYPT: sealing.decrypt,
    OperationName.RE_ENCRYPT: sealing.re_encrypt,
    OperationName.SIGN: signing.sign,
    OperationName.VERIFY: signing.verify,
    OperationName.VERIFY_MAC: signing.verify,
    OperationName.VERIFY_OFFLINE: signing.verify_offline,
    OperationName.PUBLIC_KEY: signing.public_key,
    OperationName.ENCRYPT_OFFLINE: signing.encrypt_offline,
}
"""The operations that take more than one API call, or none."""


def run(request: OperationRequest, kms: Kms, progress: Progress = NO_PROGRESS) -> Result:
    """Run a request in its own region; slow, so on a worker thread.

    Raises InputError before anything is sent, then the errors of the backend, of files and of
    ``kms_tui.envelope``. A bad signature or MAC is a result, not an error.
    """
    request = with_second_read(request)
    check(request)
    return _RUNNERS.get(request.operation.name, direct)(request, in_region(kms, request.region), progress)
