"""The credentials of a session: whatever the chain finds, but of one account only; and who calls by them.

The caller comes from STS or, where there is none, the account from a key's ARN.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import RefreshWithMFAUnsupportedError

from kms_tui.backend.aws.credential_sources import CredentialSources, refuse_unusable
from kms_tui.backend.aws.error_translation import Translator, no_credentials
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import CredentialsError, KmsTuiError, ServiceError
from kms_tui.kms.model import CallerIdentity

HOLD = 5.0
"""Seconds for which a closed prompt, or a wrong code, answers further calls, lest each asks again."""


class SessionCredentials:
    """The credentials object that botocore's signer uses; safe for threads.

    ``load`` runs the credential chain, asking for MFA codes through ``ask``, and ``prompt`` answers them;
    ``fetch_anew`` gets credentials that no one has kept, in place of refused ones, if there are others.
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
        fetch_anew: Callable[[], Any] | None = None,
    ) -> None:
        self._fetch_anew = fetch_anew
        self._refused_key = ""
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

    @property
    def access_key(self) -> str:
        """The key that requests were signed with last, or ""."""
        return self._accepted_key

    def renewed_after(self, access_key: str) -> bool:
        """Whether what was refused with this key may be sent again: once, credentials are fetched anew.

        "" stands for those that were fetched by the request itself. They may have been kept from an earlier
        run, and revoked since.
        """
        with self._lock:
            if self._refused_key:
                return access_key in ("", self._refused_key)
            if self._fetch_anew is None:
                return False
            self._refused_key, self._load, self._source = self._accepted_key, self._fetch_anew, None
            return True

    def renew(self) -> None:
        """As ``distrust``, and forget a failure that is being held."""
        with self._lock:
            self._source = self._failure = None

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """Account-based endpoints, which botocore asks for here; KMS has none."""
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


_LISTS = (("Keys", "KeyArn"), ("Aliases", "AliasArn"))
"""Answers that show the session's own account, and the member with the ARN."""


class Identity:
    """Shared by all regions of a session; asks STS once, through a client that is made when it is needed."""

    def __init__(
        self, open_sts: Callable[[], Any], translator: Translator, credentials: SessionCredentials
    ) -> None:
        self.credentials = credentials
        self._open_sts = open_sts
        self._translator = translator
        self._lock = threading.Lock()
        self._caller: CallerIdentity | None = None

    @property
    def account_id(self) -> str:
        return self.credentials.account

    def caller(self, first_key_arn: Callable[[], str]) -> CallerIdentity:
        """Never raises: a caller who is not known has no ARN, and is asked for again next time."""
        with self._lock:
            if self._caller is None:
                self._caller = self._ask()
            caller = self._caller
        if not self.account_id:
            try:
                self._learn_arn(first_key_arn())
            except KmsTuiError:
                pass
        return caller if caller is not None and caller.arn else CallerIdentity(account=self.account_id)

    def learn(self, answer: Mapping[str, Any]) -> None:
        """Take the account from a list of keys or aliases, if it is not known yet."""
        if self.account_id:
            return
        for member, arn in _LISTS:
            for entry in answer.get(member, ())[:1]:
                self._learn_arn(entry.get(arn, ""))

    def _ask(self) -> CallerIdentity | None:
        try:
            with self._translator.calling("GetCallerIdentity"):
                answer = self._open_sts().get_caller_identity()
        except ServiceError:
            return CallerIdentity()
        except KmsTuiError:
            return None
        caller = CallerIdentity(answer.get("Account", ""), answer.get("Arn", ""), answer.get("UserId", ""))
        self.credentials.account = caller.account
        return caller

    def _learn_arn(self, text: str) -> None:
        account = account_of(text)
        if account:
            self.credentials.account = account


def account_of(arn: str) -> str:
    """The account in an ARN, or "" where the text is none."""
    try:
        return Arn.parse(arn).account
    except ValueError:
        return ""
