"""Making a request: the one way from the scratchpad to KMS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops import sealing, signing
from kms_tui.crypto_ops.calls import direct, in_region, with_second_read
from kms_tui.crypto_ops.check import check
from kms_tui.crypto_ops.operations import Name
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.results import Result
from kms_tui.envelope.streams import UNWATCHED, Progress

_WAYS: Mapping[Name, Callable[[OperationRequest, Kms, Progress], Result]] = {
    Name.ENCRYPT: sealing.encrypt,
    Name.DECRYPT: sealing.decrypt,
    Name.RE_ENCRYPT: sealing.re_encrypt,
    Name.SIGN: signing.sign,
    Name.VERIFY: signing.verify,
    Name.VERIFY_MAC: signing.verify,
    Name.VERIFY_OFFLINE: signing.verify_offline,
    Name.PUBLIC_KEY: signing.public_key,
    Name.ENCRYPT_OFFLINE: signing.encrypt_offline,
}
"""The operations that are more than one API call, or none."""


def run(request: OperationRequest, kms: Kms, watch: Progress = UNWATCHED) -> Result:
    """Make a request, in its own region; slow, so for a thread of its own.

    Raises InputError before anything is sent, and then the errors of the backend, of files and of
    ``kms_tui.envelope``. A signature or MAC that is not good is a result.
    """
    check(request)
    request = with_second_read(request)
    return _WAYS.get(request.operation.name, direct)(request, in_region(kms, request.region), watch)
