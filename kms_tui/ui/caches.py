"""What Textual would remember for ever of each widget, forgotten with the widget."""

from __future__ import annotations

from typing import Any

from textual._styles_cache import StylesCache

# Meant as a class method. As a method, its cache holds a thousand of them, each with what a widget painted.
_inner_outer: Any = StylesCache.get_inner_outer
StylesCache.get_inner_outer = classmethod(_inner_outer)  # type: ignore[method-assign,assignment]
