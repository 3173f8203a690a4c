"""The documents name files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.py|\.md|\.toml))`")
_ROOMS = (_ROOT / "kms_tui", _ROOT / "tests")
_THERE = [f"/{each.relative_to(_ROOT)}" for room in _ROOMS for each in room.rglob("*")]
_THERE += [f"/{each.name}" for each in _ROOT.iterdir()]


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_file_and_folder_that_it_names_is_there(name: str) -> None:
    named = _PATH.findall((_ROOT / name).read_text(encoding="utf-8"))
    assert [path for path in named if not any(each.endswith(f"/{path.rstrip('/')}") for each in _THERE)] == []


@pytest.mark.parametrize("room", ["", "ui"])
def test_the_architecture_names_every_room(room: str) -> None:
    text = (_ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folder = _ROOT / "kms_tui" / room
    rooms = [path.name + "/" for path in folder.iterdir() if (path / "__init__.py").exists()]
    rooms += [path.name for path in folder.glob("*.py") if not path.name.startswith("__")]
    assert [each for each in rooms if f"`{each}`" not in text] == []
