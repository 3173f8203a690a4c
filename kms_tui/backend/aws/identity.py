"""Which account a session is in and who is calling, from STS or, where there is none, from a key's ARN."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from kms_tui.backend.aws.credentials import SessionCredentials
from kms_tui.backend.aws.translate import Translator
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import CallerIdentity

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
        """Never raises: a caller who cannot be found out has no ARN, and is asked for again."""
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
