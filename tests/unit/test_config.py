"""The configuration file: what it sets, and errors that name the line and the key."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from kms_tui.cli import main
from kms_tui.config import Config, ProfileSettings, load, parse
from kms_tui.evidence.cost import Prices
from kms_tui.kms.errors import ConfigurationError


def test_a_missing_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "config.toml") == Config()


def test_every_setting_of_the_documentation_is_read() -> None:
    config = parse(
        """
theme = "kms-light"
filter = "-manager:aws"
columns = ["name", "state", "used"]
clipboard_seconds = 5
refresh_seconds = 60
required_tags = ["team"]

[keys]
"action.rotate-now" = "ctrl+o"

[profiles.prod]
read_only = true
protected = ["payments-*"]

[profiles.sandbox]
allow_service_writes = true

[prices]
date = 2026-12-01
key_month = 1.2
charged_rotations = 3
""",
        "config.toml",
    )
    assert config.theme == "kms-light"
    assert config.filter == "-manager:aws"
    assert config.columns == ("name", "state", "used")
    assert config.clipboard_seconds == 5.0
    assert config.refresh_seconds == 60.0
    assert config.required_tags == ("team",)
    assert config.keys == {"action.rotate-now": "ctrl+o"}
    assert config.profile("prod") == ProfileSettings(read_only=True, protected=("payments-*",))
    assert config.profile("sandbox") == ProfileSettings(allow_service_writes=True)
    assert config.profile("dev") == ProfileSettings()
    assert config.price_table == Prices(date="2026-12-01", key_month=1.2, charged_rotations=3)


def test_every_price_of_the_table_can_be_overridden() -> None:
    values = {"date": "'2026-12-01'", "charged_rotations": "4"}
    lines = [f"{each.name} = {values.get(each.name, 7)}" for each in fields(Prices)]
    table = parse("[prices]\n" + "\n".join(lines), "c.toml").price_table
    assert all(getattr(table, each.name) != each.default for each in fields(Prices))


def test_patterns_protect_by_any_name_of_a_key() -> None:
    settings = ProfileSettings(protected=("payments-*", "1234abcd-*"))
    assert settings.protects("orders", "payments-cards")
    assert settings.protects("1234abcd-12ab-34cd-56ef-1234567890ab")
    assert not settings.protects("orders", "not-payments")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theme = 'solarized'", "c.toml, line 1: theme is not one of kms-dark, kms-light, kms-high"),
        ("\ncolour = 1", "c.toml, line 2: colour is not a setting; there are theme, filter,"),
        ("clipboard_seconds = true", "c.toml, line 1: clipboard_seconds is not a number of seconds"),
        ("refresh_seconds = 5", "c.toml, line 1: refresh_seconds is not a number of seconds: 0, or 10"),
        ("clipboard_seconds = 0", "c.toml, line 1: clipboard_seconds is not a number of seconds"),
        ("[prices]\nkey_month = '1'", "c.toml, line 2: prices.key_month is not a number of dollars from 0"),
        ("[prices]\nrequests = -1", "c.toml, line 2: prices.requests is not a number of dollars"),
        ("[prices]\nrequests = nan", "c.toml, line 2: prices.requests is not a number of dollars"),
        ("[prices]\n\ndate = 'May'", "c.toml, line 3: prices.date is not a date like 2026-11-01."),
        ("[prices]\ncharged_rotations = 1.5", "c.toml, line 2: prices.charged_rotations is not a whole"),
        ("[prices]\nkey_moth = 1", "c.toml, line 2: prices.key_moth is not a setting; there are date, key_"),
        ("required_tags = 'team'", "c.toml, line 1: required_tags is not a list of texts."),
        ("filter = 'colour:red'", 'c.toml, line 1: filter is no filter: there is no field "colour"'),
        ("\ncolumns = ['name', 'colour']", "c.toml, line 2: columns has no column 'colour'; there are name,"),
        ("columns = ['name', 'name']", "c.toml, line 1: columns names a column twice."),
        ("columns = ['state']", "c.toml, line 1: columns leaves out name,"),
        ("keys = 3", "c.toml, line 1: keys is not a table."),
        ("[keys]\n'action.copy' = 3", "c.toml, line 2: keys.action.copy is not a text in quotes."),
        (
            "[profiles.dev]\nread_only = true\n[profiles.prod]\nread_only = 'yes'",
            "c.toml, line 4: profiles.prod.read_only is neither true nor false.",
        ),
        ("[profiles.prod]\nreadonly = true", "c.toml, line 2: profiles.prod.readonly is not a setting;"),
        ("[accounts.prod]\n[accounts.11112222333]", "c.toml, line 2: accounts.11112222333 is no account:"),
        ("[accounts.1111-2222-3333]", "c.toml, line 1: accounts.1111-2222-3333 is no account: an account's"),
        ('[accounts." 111122223333"]', "c.toml, line 1: accounts. 111122223333 is no account: an account's"),
        ("profiles.prod = 1", "c.toml, line 1: profiles.prod is not a table."),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "c.toml")
    assert str(caught.value).startswith(message)


def test_broken_toml_is_named_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"c\.toml is not TOML: .*line 2"):
        parse('theme = "kms-dark"\nfilter = oops\n', "c.toml")


def test_a_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"cannot be read: it is not text in UTF-8\.$"):
        load(path)
    with pytest.raises(ConfigurationError, match=r"cannot be read: Is a directory\.$"):
        load(tmp_path)
    with pytest.raises(ConfigurationError, match=r"cannot be read: its name cannot be used\.$"):
        load(tmp_path / "a\0b")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "{a = " * 100_000, "nested too deeply"),
        ("clipboard_seconds = " + "9" * 100_000, "is not TOML: a number in it is too long"),
    ],
    ids=["arrays", "tables", "digits"],
)
def test_a_monstrous_file_is_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parse(text, "c.toml")


def test_a_binding_that_does_not_exist_is_named_with_its_line_and_the_nearest() -> None:
    known = {"action.rotate-now", "action.copy"}
    text = '[keys]\n"action.copy" = "z"\n"action.rotate" = "ctrl+o"\n'
    with pytest.raises(
        ConfigurationError, match=r"line 3: keys.action.rotate is no key binding; did you mean"
    ):
        parse(text, "c.toml", lambda: known)
    assert parse('[keys]\n"action.copy" = "z"\n', "c.toml", lambda: known).keys == {"action.copy": "z"}


_WRITTEN = """
theme = "kms-light"
filter = "tag:team=\\"a b\\" -manager:aws"
columns = ["name", "id"]
clipboard_seconds = 5
refresh_seconds = 60
required_tags = ["team", "cost \\u0007"]
[keys]
"action.copy" = "f5"
[profiles."prod.eu"]
read_only = true
protected = ["payments-*"]
[prices]
date = "2026-12-01"
key_month = 1.2
"""


@pytest.mark.parametrize("text", ["", _WRITTEN])
def test_what_the_command_shows_is_a_file_with_the_same_settings(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert main(["config", "--file", str(path)]) == 0
    shown = capsys.readouterr().out
    assert parse(shown, "shown") == load(path)
    lines = shown.splitlines()
    assert lines[0] == f"# {path}"
    quitting = next(line for line in lines if '"app.quit" = ' in line)
    assert quitting.startswith("# ")
    assert quitting.endswith("# Leave kms-tui")


def test_a_changed_key_is_shown_with_its_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text(_WRITTEN)
    main(["config", "--file", str(path)])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith('"action.copy"')]
    assert line.startswith('"action.copy" = "f5"')
    assert "# by default c: Copy" in line


def test_the_settings_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text(_WRITTEN)
    assert main(["config", "--file", str(path), "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["exists"] is True
    assert shown["profiles"] == {
        "prod.eu": {"read_only": True, "protected": ["payments-*"], "allow_service_writes": False}
    }
    assert shown["keys"]["action.copy"] == "f5"
    assert shown["keys"]["app.quit"] == "q"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--file", str(tmp_path / "nope")]) == 1
    assert "There is no file" in capsys.readouterr().err
