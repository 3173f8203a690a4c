"""The narrow waist: one protocol between the program and any KMS, and the base of its wrappers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, runtime_checkable

from kms_tui.kms.model import CallerIdentity, PolicyVersion

if TYPE_CHECKING:
    from kms_tui.policy.layers import Layers  # the first rows need no policy


class Backend(Protocol):
    """One region of one account's KMS, spoken to in the shapes of botocore's KMS service model.

    Implementations are safe to call from several threads at once.
    """

    @property
    def account_id(self) -> str:
        """The 12 digits, or "" where they are not known (STS denied and no key seen yet)."""

    @property
    def region(self) -> str: ...

    @property
    def partition(self) -> str: ...

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make one API call, e.g. ``call("DescribeKey", {"KeyId": "alias/x"})``.

        Params and the result have the shapes that boto3 takes and gives: blobs are bytes, timestamps are
        aware datetimes. Raises the errors of ``kms_tui.kms.errors``.
        """

    def caller(self) -> CallerIdentity:
        """Who is calling, from STS GetCallerIdentity; unknown parts are ""."""

    def in_region(self, region: str) -> Backend:
        """The same account, credentials and caller in another region."""


@runtime_checkable
class KeepsPolicyVersions(Protocol):
    """What a backend may offer beside the API: every policy that a key has had."""

    def policy_versions(self, key: str) -> Sequence[PolicyVersion]:
        """The versions of the policy named ``default``, newest first; raises as GetKeyPolicy does."""


@runtime_checkable
class KnowsCallerLayers(Protocol):
    """What a backend may offer beside the API: the layers of policies of who calls."""

    def caller_layers(self, key_account: str) -> Layers:
        """Those for the keys of an account ("": its own); the key's policy and grants are not read."""


@runtime_checkable
class NotesOrigin(Protocol):
    """What a backend may offer beside the API: to record where the calls that it serves come from."""

    def called_from(self, address: str, agent: str) -> Backend:
        """The same, for calls of a client at ``address`` ("10.0.3.7", or "") that names itself ``agent``."""


@runtime_checkable
class RecordsTogether(Protocol):
    """What a backend may offer beside the API: to record several calls at once."""

    def together(self) -> AbstractContextManager[None]:
        """Calls that this thread makes within, in any Region, are recorded at the end.

        If that raises, none of them counts as made. For calls that take no time: other threads wait.
        """


class Services(Protocol):
    """Other services that know about keys, in one region of the same account: CloudTrail, S3, EC2 …

    They are only read: what ``kms_tui.kms.operations.SERVICE_READS`` does not list is refused.
    Implementations are safe to call from several threads at once.
    """

    @property
    def region(self) -> str: ...

    def offers(self, service: str) -> bool:
        """Whether a service, by botocore's name of it ("cloudtrail"), can be asked at all."""

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make one API call, e.g. ``call("cloudtrail", "LookupEvents", {"MaxResults": 50})``.

        Params and the result have the shapes that botocore takes and gives. Raises the errors of
        ``kms_tui.kms.errors``; UnavailableError for a service that is not offered.
        """

    def in_region(self, region: str) -> Services:
        """The same account, credentials and caller in another region."""


@runtime_checkable
class OffersWrites(Protocol):
    """What services may offer beside reads: the writes of ``kms_tui.kms.operations.SERVICE_WRITES``."""

    def writing(self) -> Services:
        """The same services, which also send those writes, and the reads of SECRET_READS.

        A write is sent again only where it was refused or never sent: OutcomeUnknownError where its answer is
        lost.
        """


@runtime_checkable
class KnowsServices(Protocol):
    """What a backend may offer beside the API: the other services of its account."""

    @property
    def services(self) -> Services: ...


class EventGroup(NamedTuple):
    """Events that differ in nothing but their time and client: one of them, as CloudTrail records it."""

    record: Mapping[str, Any]
    calls: int
    first: datetime
    last: datetime


@runtime_checkable
class GroupsEvents(Protocol):
    """What services may offer beside the API: CloudTrail's events, grouped where they are kept."""

    def event_groups(self, key_arn: str, since: datetime, until: datetime) -> Sequence[EventGroup]:
        """The events of a key ("": of any) between two moments; raises as LookupEvents does."""


class Wrapper(ABC):
    """A backend that passes everything but ``call`` through, and wraps the other regions alike."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    @property
    def account_id(self) -> str:
        return self.inner.account_id

    @property
    def region(self) -> str:
        return self.inner.region

    @property
    def partition(self) -> str:
        return self.inner.partition

    def caller(self) -> CallerIdentity:
        return self.inner.caller()

    def in_region(self, region: str) -> Self:
        return self.around(self.inner.in_region(region))

    @abstractmethod
    def around(self, inner: Backend) -> Self:
        """The same wrapper, with the state it has so far, round another backend."""

    @abstractmethod
    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]: ...
