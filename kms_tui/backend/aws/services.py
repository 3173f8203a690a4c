"""``AwsServices``: the services beside KMS, behind botocore clients that are made when first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kms_tui.kms.errors import UnavailableError
from kms_tui.kms.services import READS, may_read

if TYPE_CHECKING:
    from kms_tui.backend.aws.translate import Translator


class AwsServices:
    """``kms_tui.backend.base.Services`` with a session's credentials; ``open_client(service, region)``."""

    def __init__(self, open_client: Callable[[str, str], Any], translator: Translator, region: str) -> None:
        self._open_client = open_client
        self._translator = translator
        self._region = region
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        return self._region

    def offers(self, service: str) -> bool:
        return service in READS

    def in_region(self, region: str) -> AwsServices:
        return AwsServices(self._open_client, self._translator, region)

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not may_read(service, operation):
            raise UnavailableError(service, operation)
        with self._translator.configuring():
            client = self._client(service)
        methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
        with self._translator.calling(operation):
            answer: dict[str, Any] = getattr(client, methods[operation])(**params)
        answer.pop("ResponseMetadata", None)
        return answer

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._open_client(service, self._region)
            return self._clients[service]
