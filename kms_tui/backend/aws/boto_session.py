"""The boto3 session and its clients; the only module that makes either, and that imports boto3.

Importing it costs a sixth of a second, so nothing on the first frame's path does.
"""

from __future__ import annotations

import getpass
import gzip
import json
import os
import re
import threading
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import boto3.session
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.configprovider import ConstantProvider
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    DeferredRefreshableCredentials,
    create_credential_resolver,
)
from botocore.loaders import JSONFileLoader, Loader, create_loader
from botocore.utils import JSONFileCache

from kms_tui import __version__
from kms_tui.backend.aws.aws_backend import AssumedRole, AwsBackend, AwsServices, Clients
from kms_tui.backend.aws.credential_sources import (
    CredentialSources,
    check_ca_bundle,
    check_endpoint,
    check_proxies,
)
from kms_tui.backend.aws.error_translation import Translator
from kms_tui.backend.aws.profiles import option_of, profile_named
from kms_tui.backend.aws.retries import MAX_ATTEMPTS, refuse_broken_answers, refused_mutations
from kms_tui.backend.aws.session_credentials import Identity, SessionCredentials, account_of
from kms_tui.backend.service_model import model_file, service_model
from kms_tui.kms.errors import CredentialsError, ServiceError

CONNECT_TIMEOUT = 5
"""Seconds to a connection."""
READ_TIMEOUT = 20
"""Seconds to an answer; making an RSA_4096 data key pair takes KMS several."""
MUTATION_READ_TIMEOUT = 30
"""Longer, because giving up leaves the outcome unknown."""
STS_TIMEOUT = 5
POOL = 40
"""Connections to one endpoint: more than the threads that call at once."""

_PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
_JSON_PROTOCOLS = ("json", "rest-json")
"""Their parser takes any page for an empty answer; that of the XML protocols fails on what is not XML."""
_CLI_CACHE = Path("~/.aws/cli/cache")
"""Where the AWS CLI keeps the credentials of assumed roles and SSO, so that both ask for one MFA code."""


def _without_account_in_host(params: dict[str, Any], **_: Any) -> None:
    """Take away the account that the endpoint rules of S3 Control put before any host, whatever the client's
    configuration says of host prefixes.
    """
    account = params["headers"].get("x-amz-account-id")
    if account:
        params["url"] = params["url"].replace(f"://{account}.", "://", 1)


def open_backend(
    profile: str | None, region: str | None, endpoint_url: str | None, mfa_prompt: Callable[[str], str] | None
) -> AwsBackend:
    """``kms_tui.backend.aws.connect``."""
    named = profile_named(profile)
    translator = Translator(named)
    check_endpoint(endpoint_url)
    check_proxies(getproxies())
    with translator.configuring():
        core = _botocore_session(profile)
        # botocore reads AWS_DEFAULT_REGION alone, the AWS CLI this one first.
        session = boto3.session.Session(
            botocore_session=core, region_name=region or os.environ.get("AWS_REGION") or None
        )
        bundle = core.get_config_variable("ca_bundle")
        if bundle:
            option = option_of(named.name, "ca_bundle")
            check_ca_bundle(
                bundle, "AWS_CA_BUNDLE" if os.environ.get("AWS_CA_BUNDLE") or option is None else option.place
            )
        opening = _OpenSession(
            session, core, endpoint_url, translator, mfa_prompt, CredentialSources.of(named.name)
        )
        return opening.backend(session.region_name)


def _botocore_session(profile: str | None) -> Any:
    core = botocore.session.Session(profile=profile)
    if profile is None and not any(os.environ.get(name) for name in _PROFILE_VARIABLES):
        # Set but empty, the variable would name a profile that nobody can have.
        core.get_component("config_store").set_config_provider("profile", ConstantProvider(None))
    core.register_component("data_loader", _ModelLoader.of(core.get_config_variable("data_path")))
    core.user_agent_name, core.user_agent_version = "kms-tui", __version__
    core.set_default_client_config(Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT))
    return core


class _ModelFiles(JSONFileLoader):
    """Reads botocore's model files into plain dicts, in half the time of its OrderedDicts, and each once for
    all sessions: there is one for each profile.

    The model of KMS is the one that answers are checked by: it is parsed once for both.
    """

    def load_file(self, file_path: str) -> Any:
        if f"{file_path}.json.gz" == str(model_file()):
            return service_model()
        for path in (f"{file_path}.json", f"{file_path}.json.gz"):
            if os.path.isfile(path):
                return _model_in(path)
        return None


@cache
def _model_in(path: str) -> Any:
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        return json.load(file)


class _ModelLoader(Loader):
    """Finds botocore's model files without looking into the folders of all 420 services first."""

    FILE_LOADER_CLASS = _ModelFiles

    @classmethod
    def of(cls, data_path: str | None) -> _ModelLoader:
        """``data_path`` is AWS_DATA_PATH: folders of models beside botocore's own."""
        folders = create_loader(data_path).search_paths
        return cls(extra_search_paths=folders, include_default_search_paths=False)

    def list_available_services(self, type_name: str) -> list[str]:
        """The names of all folders; whether one has a model of this type shows as the model is loaded."""
        folders = [folder for folder in self.search_paths if os.path.isdir(folder)]
        return sorted({entry.name for folder in folders for entry in os.scandir(folder) if entry.is_dir()})


class _OpenSession:
    """A session's parts that its regions share; ``core`` is the botocore session within the boto3 one.

    boto3 passes on clients, region and regions. How an MFA code is asked for, what endpoints the profile
    names, and what requests are signed with, botocore alone can be told.
    """

    def __init__(
        self,
        session: boto3.session.Session,
        core: Any,
        endpoint_url: str | None,
        translator: Translator,
        mfa_prompt: Callable[[str], str] | None,
        sources: CredentialSources,
        load: Callable[[], Any] | None = None,
        fetch_anew: Callable[[], Any] | None = None,
    ) -> None:
        self._open_client: Callable[..., Any] = session.client
        self._core = core
        self._endpoint_url = endpoint_url
        self._region: str | None = session.region_name
        self._translator = translator
        self._sources = sources
        self._lock = threading.Lock()
        self._backends: dict[str, AwsBackend] = {}
        self._credentials = SessionCredentials(
            load or self._load,
            mfa_prompt or _no_prompt,
            self._account_of,
            translator,
            sources,
            fetch_anew=fetch_anew,
        )
        # botocore signs with what this component gives, so no request escapes the check of the account.
        core.register_component("credential_provider", _Provider(self._credentials))
        self._credentials.open()
        self._identity = Identity(self._sts, translator, self._credentials)

    def backend(self, region: str | None) -> AwsBackend:
        with self._lock, self._translator.configuring():
            opened = self._backends.get(region or "")
            if opened is None:
                clients = Clients(self._kms(region, reads=True), partial(self._kms, region, reads=False))
                services = AwsServices(
                    self._service, self._regions_of, self._translator, clients.reads.meta.region_name
                )
                opened = AwsBackend(
                    clients, self._identity, self._translator, self.backend, services, self._assume
                )
                self._backends[region or ""] = opened
            return opened

    def _kms(self, region: str | None, *, reads: bool, **credentials: str | None) -> Any:
        client = self._open_client(
            "kms",
            region_name=region,
            endpoint_url=self._endpoint_in(region),
            config=Config(
                retries={"mode": "standard"} if reads else {"mode": "standard", "total_max_attempts": 1},
                read_timeout=READ_TIMEOUT if reads else MUTATION_READ_TIMEOUT,
                max_pool_connections=POOL,
            ),
            **credentials,
        )
        refuse_broken_answers(client.meta.events, "kms", MAX_ATTEMPTS if reads else 1)
        if not reads:
            client.meta.events.register("needs-retry.kms", refused_mutations())
        return client

    def _service(self, name: str, region: str, writes: bool) -> Any:
        """A client of another service than KMS; at the endpoint given for KMS, if any.

        There buckets are named in the path, and no account in the host: "bucket.localhost" is no host.
        """
        client = self._open_client(
            name,
            region_name=region,
            endpoint_url=self._endpoint_in(region),
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 1} if writes else {"mode": "standard"},
                read_timeout=MUTATION_READ_TIMEOUT if writes else READ_TIMEOUT,
                max_pool_connections=POOL,
                inject_host_prefix=self._endpoint_url is None,
                s3={"addressing_style": "path" if self._endpoint_url else "auto"},
            ),
        )
        model = client.meta.service_model
        service = model.service_id.hyphenize()
        if model.metadata["protocol"] in _JSON_PROTOCOLS:
            refuse_broken_answers(client.meta.events, service, 1 if writes else MAX_ATTEMPTS)
        if writes:
            client.meta.events.register(f"needs-retry.{service}", refused_mutations())
        if self._endpoint_url:
            client.meta.events.register(f"before-call.{service}", _without_account_in_host)
        return client

    def _endpoint_in(self, region: str | None) -> str | None:
        """The endpoint given; where its host names the first region, as AWS's own do, that of another one."""
        if self._endpoint_url is None or self._region is None or region is None:
            return self._endpoint_url
        return self._endpoint_url.replace(f".{self._region}.", f".{region}.")

    def _regions_of(self, service: str) -> list[str]:
        """The Regions of every partition in which botocore knows a service."""
        partitions = self._core.get_available_partitions()
        return [name for each in partitions for name in self._core.get_available_regions(service, each)]

    def _sts(self, **credentials: str | None) -> Any:
        """STS at the endpoint given for KMS, if any: nobody who names one wants a request sent elsewhere."""
        return self._open_client(
            "sts",
            region_name=self._region,
            endpoint_url=self._sts_endpoint(),
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 2},
                connect_timeout=STS_TIMEOUT,
                read_timeout=STS_TIMEOUT,
            ),
            **credentials,
        )

    def _sts_endpoint(self) -> str | None:
        if self._endpoint_url:
            return self._endpoint_url
        if self._core.get_config_variable("ignore_configured_endpoint_urls"):
            return None
        profile = self._core.get_scoped_config()
        for_all = os.environ.get("AWS_ENDPOINT_URL") or profile.get("endpoint_url")
        return None if for_all or self._configured("sts") else self._configured("kms")

    def _configured(self, service: str) -> str | None:
        """The endpoint that the environment or the profile's ``services`` section names for one service."""
        services = self._core.full_config.get("services", {})
        section = services.get(self._core.get_scoped_config().get("services"), {})
        url: str | None = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or section.get(
            service, {}
        ).get("endpoint_url")
        return url

    def _assume(self, role: AssumedRole) -> AwsBackend:
        """The same endpoints and configuration, with the credentials of a role."""
        with self._translator.configuring():
            core = _botocore_session(self._core.profile)
            # The models of KMS, parsed once for all accounts: 4 MB and 40 ms each.
            core.register_component("data_loader", self._core.get_component("data_loader"))
            session = boto3.session.Session(botocore_session=core, region_name=self._region)
        opening = _OpenSession(
            session,
            core,
            self._endpoint_url,
            self._translator,
            None,
            self._sources,
            partial(self._role_credentials, role, JSONFileCache),
            partial(self._role_credentials, role, _UnreadCache),
        )
        return opening.backend(self._region)

    def _role_credentials(self, role: AssumedRole, cache_type: type[JSONFileCache]) -> Any:
        """Credentials of a role, fetched when they are needed and kept where the AWS CLI keeps its own."""
        given = {"RoleSessionName": _session_name(self._core.get_scoped_config())}
        if role.external_id:
            given["ExternalId"] = role.external_id
        cache: Any = cache_type(str(_CLI_CACHE.expanduser()))
        fetcher: Any = AssumeRoleCredentialFetcher(
            lambda _service, **credentials: self._sts(**credentials),
            self._credentials,
            role.arn,
            extra_args=given,
            cache=cache,
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")

    def _load(self) -> Any:
        cache: Any = JSONFileCache(str(_CLI_CACHE.expanduser()))
        resolver = create_credential_resolver(self._core, cache=cache, region_name=self._region)
        # botocore has no public way to say how an MFA code is asked for; its own reads the terminal.
        assume_role: Any = resolver.get_provider("assume-role")
        assume_role._prompter = self._credentials.ask
        return resolver.load_credentials()

    def _account_of(self, frozen: Any) -> str:
        """The account of credentials that do not say: from the first key, else from STS."""
        explicit = {
            "aws_access_key_id": frozen.access_key,
            "aws_secret_access_key": frozen.secret_key,
            "aws_session_token": frozen.token,
        }
        try:
            with self._translator.calling("ListKeys"):
                listed = self._kms(self._region, reads=True, **explicit).list_keys(Limit=1)
            if listed["Keys"]:
                return account_of(listed["Keys"][0]["KeyArn"])
        except ServiceError:
            pass
        try:
            with self._translator.calling("GetCallerIdentity"):
                answer = self._sts(**explicit).get_caller_identity()
            return str(answer["Account"])
        except ServiceError:
            return ""


def _session_name(profile: Mapping[str, str]) -> str:
    """The role session name of the profile, or one that tells CloudTrail's readers who it is."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no such user, as in a container
        user = ""
    name = profile.get("role_session_name") or "-".join(part for part in ("kms-tui", user) if part)
    return re.sub(r"[^\w+=,.@-]", "-", name, flags=re.ASCII)[:64]


class _UnreadCache(JSONFileCache):
    """Keeps credentials, and gives none that were kept."""

    def __contains__(self, _key: str) -> bool:
        return False


class _Provider:
    """botocore's credential_provider component, answering always the same credentials."""

    def __init__(self, credentials: SessionCredentials) -> None:
        self._credentials = credentials

    def load_credentials(self) -> SessionCredentials:
        return self._credentials


def _no_prompt(question: str) -> str:
    raise CredentialsError(
        "The profile's role needs an MFA code, and this command cannot ask for one.",
        next_step="Run any `aws` command with the profile first: its credentials are then used here.",
    )


def sso_oidc_client(profile: str, region: str, translator: Translator) -> Any:
    """A client of IAM Identity Center's OIDC service, whose calls are not signed."""
    with translator.configuring():
        session = boto3.session.Session(botocore_session=_botocore_session(profile))
        open_client: Callable[..., Any] = session.client
        return open_client(
            "sso-oidc",
            region_name=region,
            config=Config(signature_version=UNSIGNED, retries={"mode": "standard"}),
            # Else botocore would look for credentials: they are what is missing.
            aws_access_key_id="unsigned",
            aws_secret_access_key="unsigned",
        )
