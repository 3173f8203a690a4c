"""The list widget: what is drawn, what moves, what is asked for, and that hostile text stays text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from kms_tui.inventory import COLUMNS, FilterError, Pace, Scope, Sort, slices
from kms_tui.kms.errors import CredentialsError, EndpointError
from kms_tui.ui.app_shell.themes import DARK, LIGHT
from kms_tui.ui.widgets.key_line import GUTTER, lay_out
from kms_tui.ui.widgets.key_list import KeyList
from tests.unit.inventory.world import NOW, FakeAccount, FakeKey, World, denied, key_id, named

LARGE = Pace(read_unasked=0)
Script = Callable[["Screenful"], Awaitable[None]]


class Listing(App[None]):
    """Nothing but a key list."""

    CSS = "KeyList { height: 1fr; }"

    def __init__(self, world: World, theme: str = DARK.name) -> None:
        super().__init__()
        self.world = world
        self.messages: list[Message] = []
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield KeyList()

    def on_mount(self) -> None:
        self.query_one(KeyList).focus()
        self.query_one(KeyList).show_view(self.world.view)

    def on_key_list_row_highlighted(self, message: KeyList.RowHighlighted) -> None:
        self.messages.append(message)

    def on_key_list_row_selected(self, message: KeyList.RowSelected) -> None:
        self.messages.append(message)

    def on_key_list_visible_range(self, message: KeyList.VisibleRange) -> None:
        self.messages.append(message)


class Screenful:
    """The app under test, with what its screen shows as text."""

    def __init__(self, app: Listing, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot
        self.world = app.world
        self.list = app.query_one(KeyList)

    @property
    def lines(self) -> list[str]:
        height = self.list.size.height
        return ["".join(s.text for s in self.list.render_line(y)).rstrip() for y in range(height)]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def work(self, jobs: int = 1_000_000, *, seconds: float = 0.0) -> None:
        self.world.work(jobs, seconds=seconds)
        await self.pilot.pause()

    async def scrolled(self) -> None:
        """Until the list has said what is on screen after it was moved."""
        async with asyncio.timeout(20):
            while self.list._report_timer is not None:
                await asyncio.sleep(0.005)
        await self.pilot.pause()

    def heard(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.app.messages if type(message) is kind]


def show(world: World, script: Script, *, size: tuple[int, int] = (80, 24), theme: str = DARK.name) -> None:
    async def run() -> None:
        app = Listing(world, theme)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(Screenful(app, pilot))

    asyncio.run(run())


def many(count: int, **pace: Any) -> World:
    world = World(
        FakeAccount(named(*(f"key-{n:05}" for n in range(count)))), pace=Pace(**pace) if pace else LARGE
    )
    return world.open()


# Work in slices


@pytest.fixture
def slices_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 3)
    monkeypatch.setattr("kms_tui.ui.widgets.key_list._AT_ONCE_SECONDS", 0)


@pytest.mark.usefixtures("slices_of_three")
def test_a_newer_key_drops_the_work_of_an_older_one() -> None:
    async def script(screen: Screenful) -> None:
        shown: list[str] = []
        replaced = screen.list.put_cursor_back

        def noting() -> None:
            assert screen.list.view is not None
            shown.append(screen.list.view.query.text)
            replaced()

        screen.list.put_cursor_back = noting  # type: ignore[method-assign]
        for text in ("k", "ke", "key-0002"):
            screen.list.set_filter(text)
            assert screen.list.is_arranging
        await screen.pilot.pause()
        assert not screen.list.is_arranging
        assert shown == ["key-0002"]
        assert len(screen.list.rows) == 10

    show(many(40), script)


@pytest.mark.usefixtures("slices_of_three")
def test_what_is_done_before_the_last_slice_is_done_to_what_is_on_screen() -> None:
    async def script(screen: Screenful) -> None:
        screen.list.set_filter("key-0002")
        assert screen.list.is_arranging
        screen.list.action_mark()
        screen.list.action_sort_by(1)
        screen.list.action_sort_by(1)
        await screen.pilot.pause()
        assert [row.aliases[0] for row in screen.list.chosen()()] == ["key-00000"]
        assert len(screen.list.rows) == 10
        assert screen.list.view is not None
        assert screen.list.view.sort != Sort()

    show(many(40), script)


@pytest.mark.usefixtures("slices_of_three")
def test_facts_are_read_for_the_filter_that_is_shown_at_last() -> None:
    async def script(screen: Screenful) -> None:
        screen.list.set_filter("state:enabled key-0002")
        screen.list.read_missing()
        assert screen.world.account.count("DescribeKey") == 0
        await screen.pilot.pause()
        await screen.work(seconds=10)
        assert len(screen.list.rows) == 10

    show(many(40), script)


# What is drawn


def test_a_row_shows_each_fact_in_its_column() -> None:
    account = FakeAccount(
        [
            FakeKey(key_id(1), ("orders-db", "orders-old")),
            FakeKey(
                key_id(2),
                ("old-backups",),
                {"KeyState": "PendingDeletion", "DeletionDate": NOW + timedelta(days=12, hours=1)},
            ),
            FakeKey(key_id(3), (), {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
        ]
    )

    async def script(screen: Screenful) -> None:
        await screen.work()
        assert [" ".join(line.split()) for line in screen.lines[:4]] == [
            "NAME ↑ SPEC ROTATION ATTENTION",
            "▌ old-backups AES-256 – ▲ deleted in 12 d",
            "orders-db +1 AES-256 365 d",
            "00000003-12ab… no alias HMAC-256 – ▽ no alias",
        ]

    show(World(account).open(), script)


def test_facts_that_are_loading_denied_or_failed_are_told_apart() -> None:
    world = World(FakeAccount(named("a", "b", "c", "d")), pace=LARGE)
    world.account.fail["DescribeKey", key_id(2)] = denied("DescribeKey")
    world.account.fail["DescribeKey", key_id(3)] = EndpointError("down")
    world.account.fail["GetKeyRotationStatus", key_id(4)] = denied("GetKeyRotationStatus")

    async def script(screen: Screenful) -> None:
        assert screen.lines[1].split() == ["▌", "a", "·", "·", "not", "read"]
        await screen.work()
        assert [" ".join(line.split()) for line in screen.lines[1:5]] == [
            "▌ a AES-256 365 d",
            "b denied · cannot describe: denied",
            "c failed · cannot describe: failed",
            "d AES-256 denied rotation denied",
        ]

    show(world.open(), script)


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
def test_each_state_has_a_style_of_its_own(theme: str) -> None:
    async def script(screen: Screenful) -> None:
        parts = ("plain", "loading", "unasked", "denied", "failed", "warning", "danger")
        styles = {str(screen.list.styles_on("row")(part)) for part in parts}
        assert len(styles) == len(parts)
        assert len({str(screen.list.styles_on(name)("plain")) for name in ("row", "cursor", "marked")}) == 3

    show(many(1), script, theme=theme)


def test_hostile_text_is_drawn_as_text() -> None:
    hostile = "[/b][@click=app.quit]x[/]\x1b]0;owned\x07\x9b31m\u202e"
    account = FakeAccount(named("orders", Description=hostile, KeySpec="\x1b[31mRED", KeyState="\x9bX"))

    async def script(screen: Screenful) -> None:
        await screen.work()
        shown = "\n".join(screen.lines)
        assert "[/b][@click=app.quit]x[/]␛]0;owned␇\\x9b31m\\u202e" in shown
        assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(shown)
        screen.list.set_sort(Sort("description"))
        await screen.pilot.pause()
        assert screen.app.is_running

    show(World(account).open(), script, size=(200, 10))


def test_wide_characters_keep_the_columns_aligned() -> None:
    account = FakeAccount(named("orders", "zebra", Description="鍵の説明"))

    async def script(screen: Screenful) -> None:
        await screen.work()
        strips = [screen.list.render_line(y) for y in range(3)]
        assert {strip.cell_length for strip in strips} == {strips[0].cell_length}
        assert "鍵の説明" in screen.lines[1]

    show(World(account).open(), script, size=(160, 10))


def test_the_words_of_the_filter_are_pointed_out() -> None:
    async def script(screen: Screenful) -> None:
        screen.list.set_filter("der")
        found = screen.list.styles_on("row")("found")
        segments = [(s.text, s.style == found) for s in screen.list.render_line(2)]
        assert ("der", True) in segments
        assert screen.lines[2].split()[0] == "orders-2"

    show(World(FakeAccount(named("orders", "orders-2", "billing"))).open(), script)


# What is said where there is nothing


def test_an_empty_list_says_why() -> None:
    world = World(FakeAccount(named("orders")))

    async def script(screen: Screenful) -> None:
        assert "Listing the keys of eu-west-1…" not in "\n".join(screen.lines)
        world.inventory.open()
        world.inventory.flush()
        await screen.pilot.pause()
        assert screen.lines[2].strip() == "Listing the keys of eu-west-1…"
        world.list_all()
        await screen.pilot.pause()
        screen.list.set_filter("nothing-like-it")
        assert screen.lines[2].strip() == "No key matches nothing-like-it"
        screen.list.set_filter("state:disabled")
        assert "1 not yet known" in screen.lines[3]
        screen.list.set_filter("")
        screen.list.set_scope(Scope.AWS)
        assert screen.lines[2].strip() == "No AWS-managed keys in eu-west-1."

    show(world, script)


def test_a_refused_listing_says_what_and_what_next() -> None:
    world = World(FakeAccount())
    world.account.fail["ListKeys"] = world.account.fail["ListAliases"] = denied("ListKeys")

    async def script(screen: Screenful) -> None:
        shown = " ".join(" ".join(screen.lines).split())
        assert "eu-west-1: listing its keys was denied." in shown
        assert "Ask for the permission" in shown

    show(world.open(), script)


def test_missing_credentials_say_that_nothing_was_listed() -> None:
    world = World(FakeAccount())
    error = CredentialsError("The session has expired.", login_command="aws sso login --profile dev")
    world.account.fail["ListKeys"] = world.account.fail["ListAliases"] = error

    async def script(screen: Screenful) -> None:
        assert (
            screen.lines[2].strip()
            == "The keys of eu-west-1 are not listed while there are no valid credentials."
        )

    show(world.open(), script)


def test_a_region_that_fails_says_so_below_the_keys_of_the_others() -> None:
    account = FakeAccount(named(*(f"key-{n:02}" for n in range(40))))
    account.others["us-east-1"] = FakeAccount(region="us-east-1")
    account.others["us-east-1"].fail["ListKeys"] = denied("ListKeys")

    async def script(screen: Screenful) -> None:
        starts = [line.strip().startswith("us-east-1: listing its keys was denied.") for line in screen.lines]
        note = starts.index(True)
        assert screen.lines[-1].strip().endswith("policy.")
        assert screen.lines[note - 1].split()[0].startswith("key-")
        await screen.press("end")
        assert screen.lines[note - 1].split()[:2] == ["▌", "key-39"]
        assert "REGION" in screen.lines[0]
        assert "eu-west-1" in screen.lines[1]

    show(World(account, regions=("eu-west-1", "us-east-1")).open(), script)


# Moving


def test_keys_move_the_cursor_and_the_list_follows() -> None:
    async def script(screen: Screenful) -> None:
        async def at(*keys: str) -> int:
            await screen.press(*keys)
            return screen.list.cursor

        assert await at("down", "j") == 2
        assert await at("up", "k", "k") == 0
        assert await at("pagedown") == 23
        assert "key-00023" in screen.lines[-1]
        assert await at("pageup") == 0
        assert await at("end") == 99
        assert "key-00099" in screen.lines[-1]
        assert await at("home") == 0
        assert "key-00000" in screen.lines[1]

    show(many(100), script)


def test_each_move_is_told_once_and_enter_selects() -> None:
    async def script(screen: Screenful) -> None:
        await screen.press("down", "up", "up", "enter")
        rows = [message.row_key for message in screen.heard(KeyList.RowHighlighted)]
        assert rows == [screen.world.row(f"key-0000{n}").arn for n in (0, 1, 0)]
        assert [m.row_key for m in screen.heard(KeyList.RowSelected)] == [rows[0]]

    show(many(3), script)


def test_scrolling_does_not_move_the_cursor() -> None:
    async def script(screen: Screenful) -> None:
        screen.list.scroll_to(y=10, animate=False)
        await screen.scrolled()
        assert screen.list.cursor == 0
        assert "key-00010" in screen.lines[1]

    show(many(100), script)


def test_a_click_moves_and_a_second_selects() -> None:
    async def script(screen: Screenful) -> None:
        screen.list.scroll_to(y=10, animate=False)
        await screen.scrolled()
        await screen.pilot.click(KeyList, offset=(20, 4))
        assert screen.list.cursor == 13
        assert not screen.heard(KeyList.RowSelected)
        await screen.pilot.click(KeyList, offset=(20, 4))
        assert [m.row_key for m in screen.heard(KeyList.RowSelected)] == [screen.world.row("key-00013").arn]
        await screen.pilot.hover(KeyList, offset=(20, 6))
        assert screen.list.hover == 15

    show(many(100), script)


def test_a_click_on_a_title_sorts_and_another_turns_it_round() -> None:
    async def script(screen: Screenful) -> None:
        await screen.pilot.click(KeyList, offset=(5, 0))
        assert "NAME ↓" in screen.lines[0]
        assert "key-00002" in screen.lines[1]
        await screen.press("greater_than_sign")
        assert "SPEC ↑" in screen.lines[0]
        await screen.press("less_than_sign")
        assert "SPEC ↓" in screen.lines[0]

    show(many(3), script)


def test_shift_and_an_arrow_sort_by_the_column_beside() -> None:
    def sorted_by(screen: Screenful) -> str:
        return next(word for word, arrow in pairwise(screen.lines[0].split()) if arrow in "↑↓")

    async def script(screen: Screenful) -> None:
        await screen.press("shift+right")
        assert sorted_by(screen) == "SPEC"
        await screen.press("less_than_sign", "shift+left")
        assert "NAME ↑" in screen.lines[0]
        await screen.press("shift+left")
        last = sorted_by(screen)
        assert screen.lines[0].split()[-2:] == [last, "↑"]
        await screen.press("shift+right")
        assert sorted_by(screen) == "NAME"

    show(many(3), script)


def test_sorting_by_what_is_not_read_yet_has_it_read() -> None:
    async def script(screen: Screenful) -> None:
        screen.list.set_sort(Sort("attention"))
        await screen.work(seconds=30)
        assert screen.world.inventory.tally(aws=False).described == 100
        assert screen.list.rows[0].aliases == ("key-00000",)
        screen.world.account.keys[key_id(50)].metadata["KeyState"] = "PendingDeletion"
        screen.world.inventory.reread(key_id(50))
        await screen.work()
        assert screen.list.rows[0].aliases == ("key-00000",)
        await screen.press("full_stop")
        assert screen.list.rows[0].aliases == ("key-00049",)

    show(many(100), script)


# What stays


def test_the_cursor_returns_to_its_key_when_a_filter_is_cleared() -> None:
    async def script(screen: Screenful) -> None:
        await screen.press(*["down"] * 30)
        chosen = screen.list.current
        screen.list.set_filter("key-0007")
        assert screen.list.cursor == 0
        screen.list.set_filter("key-0003")
        assert screen.list.current is chosen
        screen.list.set_filter("")
        await screen.pilot.pause()
        assert screen.list.current is chosen
        assert any("▌" in line and "key-00030" in line for line in screen.lines)

    show(many(100), script)


def test_a_filter_that_is_not_understood_changes_nothing() -> None:
    async def script(screen: Screenful) -> None:
        with pytest.raises(FilterError):
            screen.list.set_filter("sate:x")
        assert len(screen.list.rows) == 3

    show(many(3), script)


def test_a_refresh_keeps_cursor_marks_scroll_and_says_what_changed() -> None:
    async def script(screen: Screenful) -> None:
        await screen.work()
        await screen.press(*["down"] * 30, "space")
        await screen.scrolled()
        await screen.work()
        before = (screen.list.cursor, screen.list.scroll_y, set(screen.world.view.marks))
        lines = screen.lines
        screen.world.account.keys[key_id(30)].metadata["KeyState"] = "Disabled"
        screen.world.inventory.refresh()
        await screen.work()
        assert (screen.list.cursor, screen.list.scroll_y, set(screen.world.view.marks)) == before
        changed = [line for line in screen.lines if line not in lines]
        assert [" ".join(line.split()) for line in changed] == ["key-00029 AES-256 365 d • now disabled"]

    show(many(100), script)


def test_a_key_can_be_gone_to() -> None:
    async def script(screen: Screenful) -> None:
        assert screen.list.go_to(screen.world.row("key-00070").arn)
        await screen.pilot.pause()
        assert screen.list.current is screen.world.row("key-00070")
        assert any("▌" in line and "key-00070" in line for line in screen.lines)
        assert not screen.list.go_to("arn:of:nothing")

    show(many(100), script)


# Marks


def test_space_marks_and_goes_on() -> None:
    async def script(screen: Screenful) -> None:
        await screen.press("space", "space", "up", "space")
        assert [row.aliases[0] for row in screen.list.chosen()()] == ["key-00000"]
        assert screen.list.cursor == 2
        assert screen.lines[1].startswith(" ● key-00000")

    show(many(5), script)


def test_shift_and_arrows_mark_a_range() -> None:
    async def script(screen: Screenful) -> None:
        await screen.press("down", "shift+down", "shift+down")
        assert [row.aliases[0][-1] for row in screen.list.chosen()()] == ["1", "2", "3"]

    show(many(9), script)


def test_v_marks_from_here_to_wherever_one_goes() -> None:
    async def script(screen: Screenful) -> None:
        await screen.press("space", "down", "down", "v", "down", "down", "down", "up", "v", "down")
        assert [row.aliases[0][-1] for row in screen.list.chosen()()] == ["0", "3", "4", "5"]
        await screen.press("v", "end", "escape", "home")
        assert len(screen.list.chosen()()) == 7

    show(many(9), script)


def test_escape_is_the_screens_unless_a_range_is_being_marked() -> None:
    async def script(screen: Screenful) -> None:
        assert screen.list.check_action("end_range", ()) is False
        await screen.press("v")
        assert screen.list.check_action("end_range", ()) is True

    show(many(3), script)


def test_marks_by_mouse() -> None:
    async def script(screen: Screenful) -> None:
        await screen.pilot.click(KeyList, offset=(1, 2))
        await screen.pilot.click(KeyList, offset=(20, 4), control=True)
        assert [row.aliases[0][-1] for row in screen.list.chosen()()] == ["1", "3"]
        await screen.pilot.click(KeyList, offset=(20, 7), shift=True)
        assert [row.aliases[0][-1] for row in screen.list.chosen()()] == ["1", "3", "4", "5", "6"]

    show(many(9), script)


# What is asked for


def test_only_what_is_on_screen_is_described_and_then_around_it() -> None:
    async def script(screen: Screenful) -> None:
        await screen.scrolled()
        ranges = screen.heard(KeyList.VisibleRange)
        assert (ranges[-1].first, ranges[-1].last) == (0, 22)
        await screen.work()
        assert screen.world.account.count("DescribeKey") == 23
        assert screen.world.account.count("GetKeyRotationStatus") == 23
        await screen.work(seconds=5)
        assert screen.world.account.count("DescribeKey") == 46
        await screen.press("end")
        await screen.scrolled()
        assert screen.heard(KeyList.VisibleRange)[-1].last == 999
        await screen.work()
        assert screen.world.account.count("DescribeKey") == 69

    show(many(1000), script)


def test_rows_that_arrive_do_not_move_what_is_on_screen() -> None:
    world = World(FakeAccount(named(*(f"key-{n:03}" for n in range(100))), page=10), pace=LARGE)

    async def script(screen: Screenful) -> None:
        world.inventory.open()
        shown: list[str] = []
        while world.inventory.busy:
            await screen.work(1)
            full = [line for line in screen.lines[1:] if line.strip()]
            names = [line[GUTTER:].split()[0] for line in full if "key-" in line]
            assert names[: len(shown)] == shown
            shown = names
        assert len(shown) == 23

    show(world, script)


def test_keys_whose_names_are_awaited_for_long_are_shown_where_there_is_room() -> None:
    world = World(FakeAccount([FakeKey("bbbb"), *named("a", "c")], page=1), pace=LARGE)

    async def script(screen: Screenful) -> None:
        world.inventory.open()
        while world.account.count("ListAliases") < 1:
            await screen.work(1)
        await screen.work(1)
        assert world.view.waiting
        screen.list._show_nameless()
        assert any("bbbb" in line for line in screen.lines)

    show(world, script)


def test_a_list_without_a_view_is_blank() -> None:
    async def script(screen: Screenful) -> None:
        screen.list.show_view(None)
        await screen.press(
            "down", "space", "v", "enter", "greater_than_sign", "less_than_sign", "end", "full_stop"
        )
        assert set(screen.lines) == {""}
        assert screen.list.chosen()() == []

    show(many(3), script)


# Columns


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 100, 120, 160, 250])
@pytest.mark.parametrize("regions", [False, True])
@pytest.mark.parametrize("sorted_by", ["name", "attention", "created", "used", "description", "id", "region"])
def test_columns_fit_and_do_not_overlap(width: int, regions: bool, sorted_by: str) -> None:
    slots = lay_out(width, regions=regions, sorted_by=sorted_by)
    assert slots[0].column == "name"
    ends = [slot.start + slot.width for slot in slots]
    assert all(end + 2 <= slot.start for end, slot in zip(ends, slots[1:], strict=False))
    if width >= 80:
        assert ends[-1] <= width
        assert slots[0].width >= 26
        assert sorted_by in [slot.column for slot in slots]


def test_columns_give_way_in_a_fixed_order() -> None:
    def columns(width: int) -> list[str]:
        return [slot.column for slot in lay_out(width, regions=False)]

    assert columns(79) == ["name", "spec", "rotation", "attention"]
    assert columns(90) == ["name", "spec", "usage", "rotation", "attention"]
    before: set[str] = set()
    for width in range(30, 250):
        assert before <= set(columns(width))
        before = set(columns(width))


def test_chosen_columns_stand_in_their_order_and_the_last_give_way_first() -> None:
    def columns(width: int, sorted_by: str = "name") -> list[str]:
        chosen = ("state", "name", "used", "id")
        slots = lay_out(width, regions=True, sorted_by=sorted_by, columns=chosen)
        return [slot.column for slot in slots]

    assert columns(160) == ["state", "name", "used", "id"]
    assert columns(79) == ["state", "name", "used"]
    assert columns(50) == ["state", "name"]
    assert columns(160, "spec") == ["state", "name", "used", "id", "spec"]


@pytest.mark.parametrize("name", list(COLUMNS))
def test_every_column_can_be_shown_beside_the_name(name: str) -> None:
    assert {slot.column for slot in lay_out(160, regions=False, columns=(name,))} == {"name", name}
