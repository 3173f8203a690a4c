"""A backend that answers one operation with nonsense of every type, and the keys that ask for that operation.

    python -m tests.ui.nonsense

has the console ask for everything it can ask for and meets each operation with every answer of ``answers``;
it prints how many of each were given, and what the console did not survive. What the console tells of them is
its own business; that it goes on is what counts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select, TextArea
from textual.widgets.option_list import OptionDoesNotExist

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, Role
from kms_tui.inventory import Pace
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.scratchpad.input_pane import InputPane
from kms_tui.ui.scratchpad.operation_settings import OperationList
from kms_tui.ui.screens.keys_screen import KeysScreen
from kms_tui.ui.widgets.key_list import KeyList
from tests.contract.shapes import operation_model
from tests.ui.console import press, settled
from tests.ui.scratchpad.bench import Bench

_A_CONSOLE = 50
"""Answers that one console is given before another is opened."""

NONSENSE: Mapping[str, Any] = {
    "nothing": None,
    "a number": 7,
    "text": "text [/b]\x1b[31m",
    "bytes": b"\xff",
    "an empty structure": {},
    "an empty list": [],
    "a list of nothing": [None],
    "a list of numbers": [7],
    "a list of structures": [{}],
    "yes": True,
    "an old time": datetime(1, 1, 1, tzinfo=UTC),
}


def answers(operation: str) -> Iterator[tuple[str, Any]]:
    """What to answer, with words for it: nonsense, and proper answers with one member missing or nonsense."""
    yield from NONSENSE.items()
    proper = sample(operation)
    for path in _paths(proper):
        yield f"{'.'.join(map(str, path))} missing", _altered(proper, path)
        for words, value in NONSENSE.items():
            yield f"{'.'.join(map(str, path))}: {words}", _altered(proper, path, value)


def sample(operation: str) -> Any:
    """A proper answer to an operation, with every member that the service model has."""
    return _sample(operation_model(operation).output_shape)


def _sample(shape: Any) -> Any:
    """A value of a shape of the service model."""
    if shape is None:
        return {}
    match shape.type_name:
        case "structure":
            return {name: _sample(member) for name, member in shape.members.items()}
        case "list":
            return [_sample(shape.member)]
        case "map":
            return {"key": _sample(shape.value)}
        case "string":
            return shape.enum[0] if shape.enum else "text"
        case "blob":
            return b"bytes"
        case "boolean":
            return False
        case "timestamp":
            return datetime(2026, 11, 20, tzinfo=UTC)
    return 7


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in inside:
        yield (*above, name)
        yield from _paths(member, (*above, name))


_GONE = object()


def _altered(value: Any, path: tuple[Any, ...], to: Any = _GONE) -> Any:
    if not path:
        return to
    copy = value.copy()
    if len(path) == 1 and to is _GONE:
        del copy[path[0]]
    else:
        copy[path[0]] = _altered(copy[path[0]], path[1:], to)
    return copy


class Nonsense(Wrapper):
    """Answers ``operation`` with ``answer``, and everything else as the backend within does."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.operation = ""
        self.answer: Any = None
        self.given: Counter[str] = Counter()

    def around(self, inner: Backend) -> Nonsense:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation != self.operation:
            return self.inner.call(operation, params)
        self.given[operation] += 1
        answer: Mapping[str, Any] = self.answer
        return answer


Act = Callable[[Pilot[Any]], Awaitable[None]]


class LostError(Exception):
    """The key that a scene is about is not on the list, for want of a proper answer."""


async def at(pilot: Pilot[Any], alias: str) -> None:
    """Put the cursor on the key of an alias."""
    key_lists = list(pilot.app.screen.query(KeyList))
    found = [
        row.arn
        for key_list in key_lists
        for row in key_list.rows
        if any(each == alias or each.startswith(f"{alias}\x1b") for each in row.aliases)
    ]
    if not found or not key_lists[0].go_to(found[0]):
        raise LostError(alias)
    await settled(pilot)


def keys(alias: str, *pressed: str) -> Act:
    """Put the cursor on a key and press keys; "ctrl+s" and such submit what opened."""

    async def act(pilot: Pilot[Any]) -> None:
        await at(pilot, alias)
        await press(pilot, *pressed)

    return act


def filled(alias: str, key: str, values: Mapping[str, str], *then: str) -> Act:
    """The same with a form: its fields are filled in before the other keys are pressed."""

    async def act(pilot: Pilot[Any]) -> None:
        await keys(alias, key)(pilot)
        for name, value in values.items():
            for widget in pilot.app.screen.query(f"#{name}"):
                if isinstance(widget, TextArea):
                    widget.text = value
                elif isinstance(widget, Input | Select):
                    widget.value = value
        await press(pilot, *then)

    return act


async def confirmed(pilot: Pilot[Any]) -> None:
    """Press the button on the right of whatever dialog is open."""
    for button in pilot.app.screen.query("#confirm").results(Button):
        button.press()
    await settled(pilot)


def in_turn(*acts: Act) -> Act:
    async def act(pilot: Pilot[Any]) -> None:
        for each in acts:
            await each(pilot)

    return act


def tab(title: str, alias: str = "orders-db") -> Act:
    async def act(pilot: Pilot[Any]) -> None:
        await at(pilot, alias)
        details = pilot.app.screen.query_one(KeyDetails)
        details.open_tab(title)
        details.current.subject = None
        await keys(alias, "r")(pilot)

    return act


def scratch(alias: str) -> Act:
    """Everything that the scratchpad offers for a key."""

    async def act(pilot: Pilot[Any]) -> None:
        await keys(alias, "s")(pilot)
        bench = Bench(pilot)
        for name in list(OPERATIONS):
            if not any(option.id == name.value for option in _offered(bench)):
                continue
            await bench.operation(name)
            for pane in bench.screen.query(InputPane):
                pane.set_text("hello" if pane.role in (Role.PLAINTEXT, Role.MESSAGE) else "aGVsbG8gYWdhaW4h")
            await bench.run()
        await pilot.press("1")

    return act


def _offered(bench: Bench) -> list[Any]:
    return list(bench.screen.query_one(OperationList)._options)


_LISTS = in_turn(keys("orders-db", "r"), keys("orders-db", "2", "r", "1"))
_TAGS = filled("sandbox", "t", {"tags": "a=b"}, "ctrl+s")
_GRANT = filled(
    "sandbox", "f", {"grantee": "arn:aws:iam::111122223333:role/App", "source": ""}, "tab", "space"
)
SCENES: Mapping[str, Act] = {
    "ListKeys": _LISTS,
    "ListAliases": in_turn(_LISTS, tab("Names")),
    "DescribeKey": in_turn(
        _LISTS,
        tab("Overview"),
        tab("Rotation"),
        keys("orders-db", "y", "escape", "i", "escape", "E", "escape"),
    ),
    "GetKeyRotationStatus": in_turn(_LISTS, tab("Rotation"), keys("orders-db", "o", "escape")),
    "ListResourceTags": in_turn(_LISTS, tab("Names"), keys("orders-db", "t", "escape")),
    "ListKeyRotations": in_turn(tab("Rotation"), keys("orders-db", "dollar_sign", "escape")),
    "GetKeyLastUsage": in_turn(tab("Overview"), keys("orders-db", "D", "escape")),
    "GetKeyPolicy": in_turn(
        tab("Policy"), keys("orders-db", "e", "escape", "H", "escape", "S", "escape", "N", "escape")
    ),
    "ListGrants": in_turn(
        tab("Grants and uses"), tab("Policy"), keys("orders-db", "F", "enter", "escape", "escape")
    ),
    "DescribeCustomKeyStores": keys("orders-db", "K", "enter", "escape", "escape", "n", "enter", "escape"),
    "ConnectCustomKeyStore": in_turn(keys("orders-db", "K", "enter"), confirmed),
    "GetPublicKey": scratch("payments-signing"),
    "CreateAlias": filled("sandbox", "a", {"alias": "another"}, "ctrl+s"),
    "UpdateAlias": in_turn(keys("sandbox", "A", "enter"), confirmed, confirmed),
    "DeleteAlias": in_turn(keys("sandbox", "minus"), confirmed),
    "UpdateKeyDescription": filled("sandbox", "i", {"description": "x"}, "ctrl+s"),
    "TagResource": _TAGS,
    "UntagResource": filled("sandbox", "t", {"tags": ""}, "ctrl+s"),
    "CreateGrant": in_turn(_GRANT, confirmed),
    "RevokeGrant": in_turn(keys("orders-db", "F", "enter"), confirmed),
    "EnableKeyRotation": keys("sandbox", "o", "ctrl+s"),
    "DisableKeyRotation": in_turn(keys("orders-db", "O"), confirmed),
    "RotateKeyOnDemand": in_turn(keys("orders-db", "R"), confirmed),
    "DisableKey": in_turn(keys("sandbox", "X"), confirmed),
    "ScheduleKeyDeletion": in_turn(filled("sandbox", "D", {"typed-name": "sandbox"}), confirmed),
    "CreateKey": in_turn(keys("sandbox", "n", "enter", "ctrl+s"), confirmed),
    "GetParametersForImport": keys("mine", "I", "escape"),
    "ReplicateKey": in_turn(keys("global-config", "E"), confirmed, confirmed),
    **{
        operation: scratch(alias)
        for alias, operations in {
            "orders-db": (
                "Encrypt",
                "Decrypt",
                "ReEncrypt",
                "GenerateDataKey",
                "GenerateDataKeyWithoutPlaintext",
                "GenerateDataKeyPair",
                "GenerateDataKeyPairWithoutPlaintext",
                "GenerateRandom",
            ),
            "payments-signing": ("Sign", "Verify"),
            "login-tokens": ("GenerateMac", "VerifyMac"),
        }.items()
        for operation in operations
    },
}
"""API operation -> what has the console ask for it, from the key list and back."""


@dataclass
class Outcome:
    """What came of it."""

    cases: int = 0
    given: Counter[str] = field(default_factory=Counter)
    """Operation -> nonsense answers."""
    dead: list[str] = field(default_factory=list)


Case = tuple[str, str, Any]
"""An operation, words for an answer, the answer."""


async def meet(backend: Backend, cases: Sequence[Case], outcome: Outcome) -> None:
    """One console that is given each of these answers, and must go on."""
    nonsense = Nonsense(backend)

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        return open_session(connection, nonsense, pace=Pace(rest=10_000))

    app = KmsApp(opener, Connection(BackendKind.DEMO))
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await settled(pilot)
        for operation, words, answer in cases:
            nonsense.operation, nonsense.answer = operation, answer
            outcome.cases += 1
            started = time.monotonic()
            await ask_for(pilot, operation)
            nonsense.operation = ""
            await home(pilot)
            if (took := time.monotonic() - started) > 5:
                print(f"  {operation}, {words}: {took:.0f} s", flush=True)
            if not await lives(pilot):
                outcome.dead.append(f"{operation}, {words}: {app.screen_stack}")
                break
    outcome.given.update(nonsense.given)


async def ask_for(pilot: Pilot[Any], operation: str) -> None:
    """Have the console ask for an operation, as far as what it was told so far lets it."""
    with contextlib.suppress(LostError, AssertionError, NoMatches, OptionDoesNotExist):
        await SCENES[operation](pilot)


async def home(pilot: Pilot[Any]) -> None:
    """Back to the key list, which is read anew from proper answers."""
    for _ in range(8):
        if isinstance(pilot.app.screen, KeysScreen):
            break
        await pilot.press("escape", "1")
        await settled(pilot)
    await pilot.press("escape", "escape", "r")
    await settled(pilot)


async def lives(pilot: Pilot[Any]) -> bool:
    """Whether the list shows its keys, and a key still opens and closes something."""
    app = pilot.app
    if not app.is_running or app._exit or not app.screen.query(KeyList):
        return False
    before = app.screen
    await pilot.press("question_mark")
    await settled(pilot)
    opened = app.screen is not before
    await pilot.press("escape")
    await settled(pilot)
    return opened and app.screen is before and bool(app.screen.query_one(KeyList).rows)


def with_mine(backend: Backend) -> Backend:
    """The same with a key ``mine`` that awaits material."""
    key = backend.call("CreateKey", {"Origin": "EXTERNAL"})["KeyMetadata"]["KeyId"]
    backend.call("CreateAlias", {"AliasName": "alias/mine", "TargetKeyId": key})
    return backend


def main() -> None:
    from kms_tui.demo import demo_backend

    parser = argparse.ArgumentParser(prog="python -m tests.ui.nonsense")
    parser.add_argument("operations", nargs="*", choices=[*SCENES, []], help="all, where none is named")
    parser.add_argument("--every", type=int, default=1, help="each so manieth answer only")
    arguments = parser.parse_args()
    Dialog.ARM_SECONDS = 0.01
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = folder
        os.chdir(folder)
        for operation in arguments.operations or SCENES:
            backend = with_mine(demo_backend())
            cases = [(operation, *each) for each in answers(operation)][:: arguments.every]
            for first in range(0, len(cases), _A_CONSOLE):
                asyncio.run(meet(backend, cases[first : first + _A_CONSOLE], outcome))
            print(f"{operation}: {len(cases)} answers, given {outcome.given[operation]} times", flush=True)
    print(
        f"{outcome.cases:,} answers to {len(SCENES)} operations, given {sum(outcome.given.values()):,} times"
    )
    print("\n".join(["not survived:", *outcome.dead]) if outcome.dead else "all survived")


if __name__ == "__main__":
    main()
