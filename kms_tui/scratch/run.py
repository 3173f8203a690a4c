"""Making a request: the one way from the scratchpad to KMS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.watch import UNWATCHED, Watch
from kms_tui.scratch import moving, offline, sealing, signing
from kms_tui.scratch.check import check
from kms_tui.scratch.operations import Name
from kms_tui.scratch.request import Request
from kms_tui.scratch.results import Result
from kms_tui.scratch.sending import direct, in_region, with_second_read

_WAYS: Mapping[Name, Callable[[Request, Kms, Watch], Result]] = {
    Name.ENCRYPT: sealing.encrypt,
    Name.DECRYPT: sealing.decrypt,
    Name.RE_ENCRYPT: moving.re_encrypt,
    Name.SIGN: signing.sign,
    Name.VERIFY: signing.verify,
    Name.VERIFY_MAC: signing.verify,
    Name.VERIFY_OFFLINE: signing.verify_offline,
    Name.PUBLIC_KEY: offline.public_key,
    Name.ENCRYPT_OFFLINE: offline.encrypt_offline,
}
"""The operations that are more than one API call, or none."""


def run(request: Request, kms: Kms, watch: Watch = UNWATCHED) -> Result:
    """Make a request, in its own region; slow, so for a thread of its own.

    Raises InputError before anything is sent, and then the errors of the backend, of files and of
    ``kms_tui.envelope``. A signature or MAC that is not good is a result.
    """
    check(request)
    request = with_second_read(request)
    return _WAYS.get(request.operation.name, direct)(request, in_region(kms, request.region), watch)
