"""Admission without signatures: everybody but web pages."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote

from kms_tui.backend.local.authorization.callers import unrecognized
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.serve.admission import Admitted, PageGuard
from kms_tui.serve.http_messages import HttpRequest, session_token_of
from kms_tui.serve.sigv4 import is_region

_SCOPE = re.compile(r"Credential=([^/,&]*)/[^/,&]*/([^/,&]*)/")


class AnyAdmission:
    """Admits every request, signed or not, but those of web pages (``PageGuard``).

    Its credential, where it names one, tells the Region, and whose request it is where its access key is one
    of ``access_keys``. That key must have its session token and not have expired. One that was of these, as
    before a reset, is refused: its principal's requests must not become the default caller's.
    """

    def __init__(self, hosts: Collection[str], access_keys: AccessKeys | None = None) -> None:
        self._pages = PageGuard(hosts)
        self.access_keys = access_keys

    def __call__(self, request: HttpRequest, _service: str) -> Admitted:
        self._pages.refuse_pages(request)
        match = _SCOPE.search(request.headers.get("authorization", "") or unquote(request.query))
        if match is None:
            return Admitted()
        return Admitted(match[2] if is_region(match[2]) else None, self._key_of(match[1], request))

    def unsigned(self, request: HttpRequest) -> Admitted:
        return self(request, "")

    def _key_of(self, access_key_id: str, request: HttpRequest) -> AccessKey | None:
        if self.access_keys is None:
            return None
        key = self.access_keys.find(access_key_id)
        if key is not None:
            self.access_keys.require_usable(key, session_token_of(request))
        elif self.access_keys.is_former(access_key_id):
            raise unrecognized()
        return key
