"""Completion scripts and the manual page know every command; a mistyped word is told what is alike."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kms_tui.cli import COMMANDS
from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("form", ["bash", "zsh", "fish", "man"])
def test_every_command_and_its_flags_are_known(run: Run, form: str) -> None:
    ended = run("completion", form)
    assert (ended.code, ended.err) == (0, "")
    text = ended.out.decode().replace("\\-", "-")
    assert [name for name in COMMANDS if name not in text] == []
    assert "fail-on" in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_bash_completes_a_command_and_a_flag(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "kms-tui.bash"
    script.write_bytes(run("completion", "bash").out)

    def completed(*words: str) -> list[str]:
        line = " ".join(f'"{word}"' for word in words)
        asking = (
            f'source "{script}"; COMP_WORDS=(kms-tui {line}); COMP_CWORD={len(words)}; '
            '_shtab_kms_tui kms-tui; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        answer = subprocess.run(["bash", "-c", asking], capture_output=True, text=True, check=True)
        return [each.strip() for each in answer.stdout.split()]

    assert completed("repo") == ["report"]
    assert completed("list", "--for") == ["--format"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("repot",), "did you mean report?"),
        (("--demo", "list"), "; a command comes first: kms-tui list …"),
        (("--profil=x", "--reed-only"), "did you mean --read-only?"),
        (("list", "--fromat", "json"), "did you mean --format?"),
        (("store", "inf"), "did you mean info?"),
        (("report", "--format", "jsn"), "did you mean json?"),
    ],
)
def test_a_mistyped_word_is_told_what_is_alike(run: Run, words: tuple[str, ...], hint: str) -> None:
    ended = run(*words)
    assert ended.code == 2
    assert ended.err.splitlines()[0].endswith(hint)


def test_a_word_that_is_like_nothing_gets_no_hint(run: Run) -> None:
    assert "did you mean" not in run("xyzzy").err


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_the_help_of_every_command_has_examples_on_lines_of_their_own(run: Run, name: str | None) -> None:
    ended = run(*([name] if name else []), "--help")
    assert ended.code == 0
    _, found, examples = ended.out.decode().partition("\nexamples:\n")
    assert found
    first = examples.splitlines()[0]
    assert first.startswith("  ")
    assert "kms-tui" in first
