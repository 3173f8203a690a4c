"""``AwsBackend``, a KMS behind boto3 clients, and ``AwsServices``, the services beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kms_tui.kms.errors import (
    EXPIRED,
    UNRECOGNIZED,
    CredentialsError,
    KmsTuiError,
    NotOfferedError,
    ServiceError,
    UnavailableError,
    UnknownHostError,
)
from kms_tui.kms.model import CallerIdentity
from kms_tui.kms.operations import SERVICE_READS, is_mutating, may_read, may_read_secrets, may_write

if TYPE_CHECKING:
    from kms_tui.backend.aws.error_translation import Translator
    from kms_tui.backend.aws.session_credentials import Identity


def is_refused(error: KmsTuiError) -> bool:
    """Whether the request was not looked at, because of the credentials that it was signed with."""
    cause = error.__cause__
    response = getattr(cause, "response", None)
    code = error.code if isinstance(error, ServiceError) else ""
    if isinstance(response, dict):
        code = str(response.get("Error", {}).get("Code", code))
    return code in EXPIRED | UNRECOGNIZED


class Clients:
    """One region's KMS clients, each made when it is first needed.

    ``reads`` (and cryptography, which leaves nothing behind) retries as botocore's standard mode does;
    ``mutations`` sends again only what was refused or never sent, so that nothing is done twice.
    """

    def __init__(self, reads: Any, open_mutations: Callable[[], Any]) -> None:
        self.reads = reads
        self._open_mutations = open_mutations
        self._lock = threading.Lock()
        self._mutations: Any = None

    @property
    def mutations(self) -> Any:
        with self._lock:
            if self._mutations is None:
                self._mutations = self._open_mutations()
            return self._mutations


class AssumedRole(NamedTuple):
    """A role that is assumed; ``external_id`` is "" where its trust policy asks for none."""

    arn: str
    external_id: str = ""

    @property
    def account(self) -> str:
        return self.arn.split(":", 5)[4]


class AwsBackend:
    """A ``Backend`` over two boto3 clients; errors are those of ``kms_tui.kms.errors``."""

    def __init__(
        self,
        clients: Clients,
        identity: Identity,
        translator: Translator,
        open_region: Callable[[str], AwsBackend],
        services: AwsServices,
        assume: Callable[[AssumedRole], AwsBackend],
    ) -> None:
        self._clients = clients
        self._identity = identity
        self._translator = translator
        self._open_region = open_region
        self._assume = assume
        self._services = services
        meta = clients.reads.meta
        self._region, self._partition = str(meta.region_name), str(meta.partition)
        self._methods = {name: method for method, name in meta.method_to_api_mapping.items()}

    def __repr__(self) -> str:
        return f"<AwsBackend {self._region}>"

    @property
    def account_id(self) -> str:
        """The account as far as it is known; makes no call. ``caller`` finds it, and so does any list."""
        return self._identity.account_id

    @property
    def region(self) -> str:
        return self._region

    @property
    def partition(self) -> str:
        return self._partition

    @property
    def services(self) -> AwsServices:
        """The other services of the account, in this region; each client is made when it is first needed."""
        return self._services

    def caller(self) -> CallerIdentity:
        """From STS, asked once; where it refuses or is absent, the account alone, from a key's ARN."""
        return self._identity.caller(self._first_key_arn)

    def in_region(self, region: str) -> AwsBackend:
        return self._open_region(region)

    def assuming(self, role: AssumedRole) -> AwsBackend:
        """A backend that calls as a role; its credentials are fetched at its first call (AssumeRole)."""
        return self._assume(role)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        method = self._methods.get(operation)
        if method is None:
            raise ServiceError(
                "UnknownOperationException",
                "The installed botocore does not know this operation.",
                operation=operation,
            )
        credentials = self._identity.credentials
        signed_with = credentials.access_key
        try:
            answer = self._send(operation, method, params)
        except (CredentialsError, ServiceError) as error:
            if is_refused(error) and credentials.renewed_after(signed_with):
                answer = self._send(operation, method, params)
            else:
                if isinstance(error, CredentialsError):
                    credentials.distrust()
                raise
        answer.pop("ResponseMetadata", None)
        self._identity.learn(answer)
        return answer

    def renew_credentials(self) -> None:
        """Look for credentials again at the next call, as after a sign-in outside of this program."""
        self._identity.credentials.renew()

    def _send(self, operation: str, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if is_mutating(operation):
            with self._translator.mutating(operation):
                answer: dict[str, Any] = getattr(self._clients.mutations, method)(**params)
        else:
            with self._translator.calling(operation):
                answer = getattr(self._clients.reads, method)(**params)
        return answer

    def _first_key_arn(self) -> str:
        keys = self.call("ListKeys", {"Limit": 1})["Keys"]
        return str(keys[0]["KeyArn"]) if keys else ""


class AwsServices:
    """``kms_tui.backend.base.Services`` with a session's credentials.

    ``open_client(service, region, writes)`` makes a client. ``regions_of(service)`` are those that botocore
    knows, which may be none. In any other Region, a service whose endpoint has no address is not offered
    (NotOfferedError).
    """

    def __init__(
        self,
        open_client: Callable[[str, str, bool], Any],
        regions_of: Callable[[str], Collection[str]],
        translator: Translator,
        region: str,
        *,
        writes: bool = False,
    ) -> None:
        self._open_client = open_client
        self._regions_of = regions_of
        self._translator = translator
        self._region = region
        self._writes = writes
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, bool], Any] = {}

    @property
    def region(self) -> str:
        return self._region

    def offers(self, service: str) -> bool:
        return service in SERVICE_READS

    def in_region(self, region: str) -> AwsServices:
        return self._another(region, self._writes)

    def writing(self) -> AwsServices:
        return self._another(self._region, writes=True)

    def _another(self, region: str, writes: bool) -> AwsServices:
        return AwsServices(self._open_client, self._regions_of, self._translator, region, writes=writes)

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        is_write = may_write(service, operation)
        allowed = self._writes and (is_write or may_read_secrets(service, operation))
        if not allowed and not may_read(service, operation):
            raise UnavailableError(service, operation)
        with self._translator.configuring():
            client = self._client(service, is_write)
        methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
        calling = self._translator.mutating if is_write else self._translator.calling
        try:
            with calling(operation):
                answer: dict[str, Any] = getattr(client, methods[operation])(**params)
        except UnknownHostError:
            if self._region in self._regions_of(service):
                raise
            raise NotOfferedError(service, self._region) from None
        answer.pop("ResponseMetadata", None)
        return answer

    def _client(self, service: str, writes: bool) -> Any:
        with self._lock:
            if (service, writes) not in self._clients:
                self._clients[service, writes] = self._open_client(service, self._region, writes)
            return self._clients[service, writes]
