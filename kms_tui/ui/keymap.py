"""How a binding's key is shown where a text names it: the configuration may have given it another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.binding import Binding

if TYPE_CHECKING:
    from kms_tui.ui.app import KmsApp


def shown_key(app: App[Any], binding_id: str, key: str) -> str:
    """The first key of a binding, as people know it; ``key`` is the one that it has by default."""
    key = cast("KmsApp", app).config.keys.get(binding_id, key)
    return app.get_key_display(Binding(key.partition(",")[0], "", ""))
