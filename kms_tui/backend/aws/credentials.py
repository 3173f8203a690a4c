"""The credentials that requests are signed with: whatever the chain finds, but of one account only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import RefreshWithMFAUnsupportedError

from kms_tui.backend.aws.sources import CredentialSources, refuse_unusable
from kms_tui.backend.aws.translate import Translator, no_credentials
from kms_tui.kms.errors import CredentialsError, KmsTuiError

HOLD = 5.0
"""Seconds for which a closed prompt, or a wrong code, answers further calls, lest each asks again."""


class SessionCredentials:
    """What botocore's signer takes for credentials; safe for threads.

    ``load`` runs the credential chain, asking for MFA codes through ``ask``, and ``prompt`` answers them;
    ``identify`` answers the account of given credentials, or "". Calls that waited for the same credentials
    share their failure. Renewed credentials that belong to another account than the first ones are refused.
    """

    def __init__(
        self,
        load: Callable[[], Any],
        prompt: Callable[[str], str],
        identify: Callable[[Any], str],
        translator: Translator,
        sources: CredentialSources,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._prompt = prompt
        self._identify = identify
        self._translator = translator
        self._sources = sources
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._source: Any = None
        self._accepted_key = ""
        self._failure: KmsTuiError | None = None
        self._held_until = 0.0
        self._asked = False
        self.account = ""
        """The account that every call of the session goes to; "" while unknown."""

    def open(self) -> str:
        """Run the chain, fetching nothing that can wait; the method that found some. Raises KmsTuiError."""
        with self._lock, self._translator.configuring(), self._sources.reading():
            return str(self._loaded().method)

    def ask(self, question: str) -> str:
        """Have a person type an MFA code."""
        self._asked = True
        return self._prompt(question)

    def get_frozen_credentials(self) -> Any:
        """botocore's ReadOnlyCredentials, renewed if need be. Raises KmsTuiError."""
        began = self._monotonic()
        with self._lock:
            if self._failure is not None and began < self._held_until:
                raise self._failure.with_traceback(None)
            self._asked = False
            try:
                frozen = self._fetch()
                self._check(frozen)
            except KmsTuiError as error:
                self._failure = error
                self._held_until = self._monotonic() + (HOLD if self._asked else 0.0)
                raise
            self._failure = None
            return frozen

    def distrust(self) -> None:
        """Run the chain again for the next request: KMS refused these credentials, or there were none."""
        with self._lock:
            self._source = None

    def renew(self) -> None:
        """As ``distrust``, and forget a failure that is being held."""
        with self._lock:
            self._source = self._failure = None

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """What botocore would resolve account-based endpoints by; KMS has none."""
        return lambda: None

    def _fetch(self) -> Any:
        with self._translator.calling(""), self._sources.reading():
            try:
                return self._loaded().get_frozen_credentials()
            except RefreshWithMFAUnsupportedError:
                # botocore asks for a code once in the life of a credentials object.
                self._source = None
                return self._loaded().get_frozen_credentials()

    def _loaded(self) -> Any:
        if self._source is None:
            self._source = self._load()
        if self._source is None:
            raise no_credentials()
        return self._source

    def _check(self, frozen: Any) -> None:
        if frozen.access_key == self._accepted_key:
            return
        refuse_unusable(frozen, str(getattr(self._source, "method", "")))
        if self._accepted_key and self.account:
            account = frozen.account_id or self._identify(frozen)
            if account != self.account:
                raise CredentialsError(
                    f"The renewed credentials belong to account {account or 'unknown'}, "
                    f"this session to {self.account}.",
                    next_step="Nothing was sent. Sign in to the first account, or open another session.",
                )
        self.account = self.account or frozen.account_id or ""
        self._accepted_key = frozen.access_key
