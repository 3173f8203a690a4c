"""Every error that kms-tui raises on purpose, with what to say and what to do next.

    KmsTuiError
    ├── ServiceError            KMS (or STS) answered with an error code
    ├── ReadOnlyError           a mutating call was stopped by the read-only wrapper
    ├── OutcomeUnknownError     a mutation was sent and its answer was lost
    ├── CredentialsError        no credentials, or expired ones
    ├── ConfigurationError      the AWS configuration names no region, an unknown profile, and the like
    ├── EndpointError           the endpoint could not be reached, or did not answer in time
    │   ├── UnknownHostError    its name cannot be resolved
    │   └── NotOfferedError     AWS does not offer the service in the Region
    ├── StoreError              the local store cannot be opened or trusted
    ├── AnswerError             what came back lacks what the API promises, or has it in another form
    └── UnavailableError        this session has no such service to ask

Each has a sentence (``str(error)``) and a ``next_step``, also a sentence, or "" where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

ACCESS_DENIED = frozenset(
    {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "AuthorizationError"}
)
THROTTLED = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
    }
)
EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken", "RequestExpired"})
UNRECOGNIZED = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    }
)

_KEY_STORE_STEPS = {
    "CloudHsmClusterInUseException": "Name a cluster that backs no other key store.",
    "CloudHsmClusterInvalidConfigurationException": (
        "Give the cluster two active HSMs in different Availability Zones (one to connect), and the security "
        "group that CloudHSM made for it, with its ports 2223-2225."
    ),
    "CloudHsmClusterNotActiveException": "Initialize and activate the cluster in CloudHSM first.",
    "CloudHsmClusterNotFoundException": "Check the cluster id: it must be of this account and Region.",
    "CloudHsmClusterNotRelatedException": (
        "Name a cluster that shares a backup history with the one that backs the key store."
    ),
    "CustomKeyStoreHasCMKsException": (
        "Schedule the deletion of the keys in it, and wait until they are deleted; or leave it disconnected."
    ),
    "CustomKeyStoreInvalidStateException": (
        "Disconnect the key store first, or wait until its connection has been made or ended."
    ),
    "CustomKeyStoreNameInUseException": "Choose another name: key stores of a Region have different ones.",
    "CustomKeyStoreNotFoundException": "List the key stores again: it may have been deleted meanwhile.",
    "IncorrectTrustAnchorException": (
        "Give the certificate that signed this cluster's, usually customerCA.crt of its initialization."
    ),
    "XksKeyAlreadyInUseException": "Name an external key that backs no other key of this key store.",
    "XksProxyIncorrectAuthenticationCredentialException": (
        "Give the access key id and the secret that the proxy has for KMS."
    ),
    "XksProxyInvalidConfigurationException": "Check the URI path, and the key manager behind the proxy.",
    "XksProxyInvalidResponseException": (
        "Ask who runs the proxy: what it answered is not of the external key store proxy API."
    ),
    "XksProxyUriEndpointInUseException": "Choose another endpoint: an endpoint service has one of its own.",
    "XksProxyUriInUseException": "Choose another endpoint or path: another key store has this pair.",
    "XksProxyUriUnreachableException": (
        "Check that the proxy runs, its endpoint and path, its TLS certificate, and the way from KMS to it."
    ),
    "XksProxyVpcEndpointServiceInUseException": "Name an endpoint service that no other key store has.",
    "XksProxyVpcEndpointServiceInvalidConfigurationException": (
        "The endpoint service needs a Network Load Balancer in two Availability Zones, the endpoint's host "
        "name as its verified private DNS name, and the Region's KMS service principal among those allowed."
    ),
    "XksProxyVpcEndpointServiceNotFoundException": (
        "Check the service's name, its owner and its Region, and that it allows the KMS service principal."
    ),
}
"""The errors of the operations on custom key stores. Source: their texts in the service model."""

_NEXT_STEPS: dict[str, str] = {
    **_KEY_STORE_STEPS,
    **dict.fromkeys(
        ACCESS_DENIED, "Ask for the permission named above, in the key policy or in an IAM policy."
    ),
    **dict.fromkeys(THROTTLED, "Wait a moment and try again: the account's request quota was exceeded."),
    **dict.fromkeys(EXPIRED, "Sign in again; the session's credentials have expired."),
    **dict.fromkeys(
        UNRECOGNIZED, "Check that the account has this region enabled, and the profile's credentials."
    ),
    "DisabledException": "Enable the key first.",
    "KMSInvalidStateException": "The key's state does not allow this; its state is on the Overview tab.",
    "NotFoundException": "Refresh, or check Region and name (an alias begins with alias/): it may be gone.",
    "InvalidCiphertextException": "Check that the ciphertext is whole and its encryption context the same.",
    "IncorrectKeyException": "Leave the key empty: KMS finds it from the ciphertext.",
    "InvalidKeyUsageException": "Choose a key whose usage allows this operation.",
    "AlreadyExistsException": "Choose another name, or repoint the existing alias.",
    "LimitExceededException": "Remove what is no longer needed, or ask AWS for a higher quota.",
    "MalformedPolicyDocumentException": "Correct the policy; the text is still in the editor.",
    "InvalidGrantTokenException": "Paste the token as CreateGrant gave it (T on the scratchpad), or none.",
    "KMSInternalException": "Try again; KMS had a passing fault.",
    "DependencyTimeoutException": "Try again; KMS had a passing fault.",
    "KeyUnavailableException": "Try again; the key is not available for the moment.",
}


_ENDS = tuple(".!?…:;,")
"""What ends a sentence, or goes on with it; a quote or a bracket may follow."""


class KmsTuiError(Exception):
    """The root of the tree; ``next_step`` says what to do about it."""

    def __init__(self, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence)
        self.next_step = next_step

    @property
    def sentences(self) -> Sequence[str]:
        """What happened, a line each: one, but for errors that tell several things at once."""
        return (str(self),)

    @property
    def with_next_step(self) -> str:
        """The sentence and what to do about it; AWS ends its own texts without a full stop."""
        sentence = str(self).strip()
        if self.next_step and sentence and sentence.rstrip("\"')]}")[-1:] not in _ENDS:
            sentence += "."
        return f"{sentence} {self.next_step}".strip()


class ServiceError(KmsTuiError):
    """KMS refused or failed a call.

    ``code`` is the error code as on the wire ("DisabledException"), ``message`` AWS's own text (it may be
    empty, and it is untrusted), ``operation`` the API operation.
    """

    def __init__(self, code: str, message: str = "", *, operation: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}" if message else code, next_step=_NEXT_STEPS.get(code, ""))
        self.code = code
        self.message = message
        self.operation = operation
        self.status = status

    @property
    def denied(self) -> bool:
        return self.code in ACCESS_DENIED

    @property
    def throttled(self) -> bool:
        return self.code in THROTTLED


class ReadOnlyError(KmsTuiError):
    """The session is read-only, and ``operation`` is not on the list of reading operations.

    ``account`` is the title of the account that is, where others of the session are not.
    """

    def __init__(self, operation: str, account: str = "") -> None:
        super().__init__(
            f"{operation} was not sent: {account or 'this session'} is read-only.",
            next_step="The configuration, or the file of the accounts, says so."
            if account
            else "Start kms-tui without --read-only, and without read_only in its configuration.",
        )
        self.operation = operation


class OutcomeUnknownError(KmsTuiError):
    """A mutating call was sent and its answer was lost: it may or may not have happened."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(
            f"{operation} was sent but its answer was lost ({reason}): the outcome is unknown.",
            next_step="It was not sent again. Refresh to see what the key looks like now.",
        )
        self.operation = operation


class CredentialsError(KmsTuiError):
    """No usable credentials; ``login_command`` is what to run ("aws sso login --profile dev"), or ""."""

    def __init__(self, sentence: str, *, login_command: str = "", next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step or (f"Run: {login_command}" if login_command else ""))
        self.login_command = login_command


class ConfigurationError(KmsTuiError):
    """The AWS configuration cannot be used: unknown profile, no region, an unreadable file, a bad URL."""


class EndpointError(KmsTuiError):
    """The endpoint could not be reached, or did not answer in time."""


class UnknownHostError(EndpointError):
    """The endpoint's name cannot be resolved."""


class NotOfferedError(EndpointError):
    """AWS does not offer the service in the Region, as far as it has no endpoint there."""

    def __init__(self, service: str, region: str) -> None:
        super().__init__(f"AWS does not offer {service} in {region}.")


class StoreError(KmsTuiError):
    """The local store is not ours, corrupt, from a newer version, or locked by another passphrase."""


class AnswerError(KmsTuiError):
    """What came back could not be understood; ``reason`` quotes nothing of it but names of members."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"What came back could not be understood: {reason}.",
            next_step="Refresh to see what is so now: a change may have been made all the same.",
        )

    @classmethod
    def of(cls, cause: Exception) -> AnswerError:
        """Of what reading it raised only the type is told, and of a KeyError what is missing: other messages
        may quote values."""
        error = cls(f"it lacks {cause}" if isinstance(cause, KeyError) else type(cause).__name__)
        error.__cause__ = cause
        return error


class UnavailableError(KmsTuiError):
    """The session has no such service: the local store has no S3, and no S3 operation that writes is sent."""

    def __init__(self, service: str, operation: str = "") -> None:
        super().__init__(f"{operation or service} is not available here.")
        self.service = service
