"""botocore reads its models, and works out the names of its events, once and not for each session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any


def read_models_once(loaders: ModuleType, put: Callable[[object, str, object], None] = setattr) -> None:
    """``loaders`` is ``botocore.loaders``, or the AWS CLI's own copy of it; ``put`` sets an attribute.

    A loader adds extras of its kinds to a model, so those with the same kinds share it: moto has more.
    """
    kind = loaders.Loader
    read, look = kind.load_data_with_path, kind.list_available_services

    def alike(paths: tuple[str, ...], file_loader: Callable[[], Any]) -> Any:
        return kind(list(paths), file_loader=file_loader(), include_default_search_paths=False)

    @cache
    def read_once(
        paths: tuple[str, ...], file_loader: Callable[[], Any], extras: tuple[str, ...], name: str
    ) -> object:
        return read(alike(paths, file_loader), name)

    @cache
    def look_once(paths: tuple[str, ...], file_loader: Callable[[], Any], model: str) -> list[str]:
        found: list[str] = look(alike(paths, file_loader), model)
        return found

    def load(loader: Any, name: str) -> object:
        files: Any = type(loader.file_loader)
        return read_once(tuple(loader.search_paths), files, tuple(loader.extras_types), name)

    def available(loader: Any, type_name: str) -> list[str]:
        files: Any = type(loader.file_loader)
        return look_once(tuple(loader.search_paths), files, type_name)

    put(kind, "load_data_with_path", load)
    put(kind, "list_available_services", available)


def name_events_once(hooks: ModuleType, put: Callable[[object, str, object], None] = setattr) -> None:
    """``hooks`` is ``botocore.hooks``, or the AWS CLI's own copy of it."""
    aliaser, names = hooks.EventAliaser, dict[str, str]()
    begin = aliaser.__init__

    def begin_with_names(made: Any, *given: Any, **named: Any) -> None:
        begin(made, *given, **named)
        if made._event_aliases == hooks.EVENT_ALIASES:
            made._alias_name_cache = names

    put(aliaser, "__init__", begin_with_names)
