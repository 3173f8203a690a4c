"""The editor's dealings with text alone: stand-ins, the outline, formatting, completion, insertion."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.document._document import Document

from kms_tui.policy import guard, snippets
from kms_tui.policy.actions import ACTIONS
from kms_tui.policy.json_reader import ScanError
from kms_tui.ui.base.policy_words import formatted
from kms_tui.ui.base.safe_text import visible
from kms_tui.ui.policy_editor.outline import Outline, with_statement
from kms_tui.ui.policy_editor.policy_area import PlaceholderMap
from kms_tui.ui.policy_editor.policy_completion import PolicyContext, complete
from tests.ui.policy.workspace import ACCOUNT, APP, APP_USES, REGION, ROOT, SOUND, policy_with

ANY_TEXT = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\r\n\t\x1b\x9b\x85\u2028\ud800\U000f0000\ue000")
)
PIECES = st.lists(st.sampled_from([*'{}[]:,"\\ \n', '"Statement"', '"Action"', "{", "[", '"', "1", "null"]))
AROUND = PolicyContext(ACCOUNT, REGION, key_arn="arn:aws:kms:eu-west-1:111122223333:key/1", principals=(APP,))


# Stand-ins


@given(texts=st.lists(ANY_TEXT, max_size=3))
@settings(deadline=None, max_examples=75)
def test_any_text_can_be_shown_and_comes_back_unchanged(texts: list[str]) -> None:
    placeholders = PlaceholderMap()
    for text in texts:
        shown = placeholders.encode(text)
        assert len(shown) == len(text)
        assert placeholders.decode(shown) == text


@given(text=ANY_TEXT)
@settings(deadline=None, max_examples=75)
def test_nothing_that_a_terminal_obeys_or_hides_is_pictured(text: str) -> None:
    placeholders = PlaceholderMap()
    pictured = placeholders.drawn(placeholders.encode(text))
    assert len(pictured) == len(text)
    kept = pictured.replace("\n", "").replace("\t", "")
    assert visible(kept) == kept


@given(text=ANY_TEXT)
@settings(deadline=None, max_examples=50)
def test_what_is_shown_has_line_feeds_for_its_only_line_ends_and_can_be_encoded(text: str) -> None:
    shown = PlaceholderMap().encode(text)
    assert len(shown.splitlines()) <= shown.count("\n") + 1
    shown.encode("utf-8")


@given(text=ANY_TEXT)
@settings(deadline=None, max_examples=50)
def test_a_document_of_the_text_area_keeps_what_is_shown(text: str) -> None:
    shown = PlaceholderMap().encode(text)
    assert Document(shown).text == shown


def test_a_private_use_character_of_the_text_is_not_taken_for_a_stand_in() -> None:
    placeholders = PlaceholderMap()
    first = placeholders.encode("\x1b")
    assert placeholders.decode(placeholders.encode(first)) == first


# Formatting


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        '{"a":[],"b":{},"c":[1,-0.5e3,true,null,"\\u00e9\\"x"]}',
        '{"a" : {"b" : [ {"c":"d"} ]}}',
        '"alone"',
    ],
)
def test_formatting_changes_white_space_alone_and_is_idempotent(text: str) -> None:
    laid_out = formatted(text)
    assert json.loads(laid_out) == json.loads(text)
    assert "".join(laid_out.split()) == "".join(text.split())
    assert formatted(laid_out) == laid_out


def test_formatting_lays_out_as_json_dumps_does() -> None:
    value = json.loads(SOUND)
    assert formatted(json.dumps(value)) == json.dumps(value, indent=2)


@given(text=PIECES.map("".join))
@settings(deadline=None, max_examples=100)
def test_formatting_never_changes_a_verdict(text: str) -> None:
    try:
        laid_out = formatted(text)
    except ScanError:
        return
    assert guard.check(laid_out, account_id=ACCOUNT).verdict == guard.check(text, account_id=ACCOUNT).verdict


# The outline


def spots(text: str, mark: str = "|") -> tuple[str, int]:
    return text.replace(mark, ""), text.index(mark)


@pytest.mark.parametrize(
    ("marked", "names", "is_key", "typed"),
    [
        ("{|", (), True, ""),
        ('{"Ver|', (), True, "Ver"),
        ('{"Version": "20|12"}', ("Version",), False, "20"),
        ('{"Statement": [{"Eff|ect": "Allow"}]}', ("Statement",), True, "Eff"),
        ('{"Statement": [{"Effect": |', ("Statement", "Effect"), False, ""),
        ('{"Statement": [{"Action": ["kms:Encrypt", "kms:D|', ("Statement", "Action"), False, "kms:D"),
        ('{"Statement": {"Action": "kms:D|"}}', ("Statement", "Action"), False, "kms:D"),
        ('{"Statement": [{"Principal": {"AWS": ["a|"]}}]}', ("Statement", "Principal", "AWS"), False, "a"),
        ('{"Statement": [{"Condition": {"Str|', ("Statement", "Condition"), True, "Str"),
        ('{"Statement": [{"Condition": {"Bool": {"kms:|', ("Statement", "Condition", "Bool"), True, "kms:"),
        ('{"Statement": [{"Sid": "a\\"b|"}]}', ("Statement", "Sid"), False, 'a\\"b'),
        ('{"Statement": [{"Sid": "x"}, {"|"}]}', ("Statement",), True, ""),
    ],
)
def test_a_place_in_unfinished_json_is_known_by_its_elements(
    marked: str, names: tuple[str, ...], is_key: bool, typed: str
) -> None:
    text, offset = spots(marked)
    spot = Outline(text).position(offset)
    assert (spot.names, spot.is_key, spot.typed) == (names, is_key, typed)


def test_statements_are_found_in_broken_json_too() -> None:
    text = '{"Statement": [{"Sid": "a", "Principal": {"AWS": "x"}}, {"Sid": "b", "Action": [}'
    starts = [text[start : start + 11] for start, _ in Outline(text).statements]
    assert starts == ['{"Sid": "a"', '{"Sid": "b"']


@given(text=PIECES.map("".join), data=st.data())
@settings(deadline=None, max_examples=150)
def test_no_text_upsets_the_outline(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    outline = Outline(text)
    spot = outline.position(offset)
    assert spot.start <= offset <= spot.end or spot.start == spot.end == offset
    assert text[spot.start : offset] == spot.typed
    assert all(start < end <= len(text) for start, end in outline.statements)


def test_a_hundred_thousand_brackets_have_an_outline() -> None:
    assert Outline("[" * 100_000).position(100_000).names == ()


# Completion


def offered(marked: str) -> tuple[str, ...]:
    completion = complete(*spots(marked), AROUND)
    return completion.offered if completion else ()


def test_actions_are_offered_by_any_part_of_their_name() -> None:
    assert offered('{"Statement": [{"Action": "kms:Dec|"}]}')[0] == "kms:Decrypt"
    assert "kms:GenerateDataKeyPairWithoutPlaintext" in offered('{"Statement": [{"Action": "pairwith|"}]}')
    everything = offered('{"Statement": [{"Action": "|"}]}')
    assert everything[0] == "kms:*"
    assert "kms:CreateKey" not in everything


def test_every_action_a_key_policy_can_allow_can_be_completed() -> None:
    for name, action in ACTIONS.items():
        found = offered(f'{{"Statement": [{{"Action": ["{name[:-1]}|"]}}]}}')
        assert (name in found) is not action.iam_only, name


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ('{"V|', "Version"),
        ('{"Statement": [{"Sid": "x", "Ef|', "Effect"),
        ('{"Statement": [{"Effect": "|', "Allow"),
        ('{"Statement": [{"Principal": {"|', "AWS"),
        ('{"Statement": [{"Principal": {"AWS": "|', f"arn:aws:iam::{ACCOUNT}:root"),
        ('{"Statement": [{"Principal": {"AWS": "app|', APP),
        ('{"Statement": [{"Principal": {"Service": "cloudt|', "cloudtrail.amazonaws.com"),
        ('{"Statement": [{"Condition": {"StringEq|', "StringEquals"),
        ('{"Statement": [{"Condition": {"Bool": {"Grant|', "kms:GrantIsForAWSResource"),
        ('{"Statement": [{"Condition": {"Bool": {"kms:GrantIsForAWSResource": "|', "true"),
        ('{"Statement": [{"Condition": {"StringEquals": {"kms:CallerAccount": "|', ACCOUNT),
        ('{"Statement": [{"Condition": {"StringEquals": {"kms:KeySpec": "RSA|', "RSA_2048"),
        (
            '{"Statement": [{"Condition": {"StringEquals": {"kms:ViaService": "s3|',
            "s3.eu-west-1.amazonaws.com",
        ),
        ('{"Statement": [{"Resource": "|', "*"),
        ('{"Version": "|', "2012-10-17"),
    ],
)
def test_each_place_offers_what_belongs_there(marked: str, first: str) -> None:
    assert offered(marked)[0] == first


def test_the_condition_keys_that_are_offered_are_those_that_a_key_policy_takes() -> None:
    assert "kms:ReplicaRegion" in offered('{"Statement": [{"Condition": {"StringEquals": {"kms:R|')
    assert "kms:ViaService" in offered('{"Statement": [{"Condition": {"StringEquals": {"kms:V|')
    for typed in ("kms:ResourceA", "aws:ResourceT"):
        found = offered(f'{{"Statement": [{{"Condition": {{"StringEquals": {{"{typed}|')
        assert not {"kms:ResourceAliases", "aws:ResourceTag/"} & set(found)
    assert "aws:EpochTime" in offered('{"Statement": [{"Condition": {"NumericLessThan": {"|')[:5]


def test_a_service_is_offered_for_via_service_as_every_partition_has_it() -> None:
    marked = '{"Statement": [{"Condition": {"StringEquals": {"kms:ViaService": "s3|'
    around = PolicyContext(ACCOUNT, "cn-north-1", "aws-cn")
    completion = complete(*spots(marked), around)
    assert completion is not None
    assert completion.offered[0] == "s3.cn-north-1.amazonaws.com"


def test_an_element_that_the_statement_has_is_not_offered_again() -> None:
    assert "Effect" not in offered('{"Statement": [{"Effect": "Allow", "|')


@pytest.mark.parametrize("marked", ['{"Id": "|"}', '{"Statement": [{"Sid": "my|"}]}', "nonsense|"])
def test_where_nothing_is_known_nothing_is_offered(marked: str) -> None:
    assert offered(marked) == ()


@pytest.mark.parametrize(
    ("marked", "chosen", "becomes"),
    [
        ('{"Ver|', "Version", '{"Version": '),
        ('{"Ver|": 1}', "Version", '{"Version": 1}'),
        ("{|}", "Version", '{"Version": }'),
        ('{"Statement": [{"Action": kms|}]}', "kms:Sign", None),
        ('{"Statement": [{"Action": "x|"}]}', "kms:Sign", '{"Statement": [{"Action": "kms:Sign"}]}'),
        ('{"Statement": [{"Action": "x|\n}]}', "kms:Sign", '{"Statement": [{"Action": "kms:Sign"\n}]}'),
        ('{"Statement": [{"Effect": |}]}', "Deny", '{"Statement": [{"Effect": "Deny"}]}'),
    ],
)
def test_the_chosen_text_brings_the_quotes_and_the_colon_that_lack(
    marked: str, chosen: str, becomes: str | None
) -> None:
    from kms_tui.ui.policy_editor.policy_completion import Completion

    text, offset = spots(marked)
    spot = Outline(text).position(offset)
    written = Completion(spot, (chosen,)).inserted(chosen, text)
    result = text[: spot.start] + written + text[spot.end :]
    assert becomes is None or result == becomes


# Inserting statements


@pytest.mark.parametrize("index", range(len(snippets.menu(ACCOUNT))))
def test_every_snippet_goes_behind_the_statement_of_the_cursor(index: int) -> None:
    statement = snippets.menu(ACCOUNT)[index].statement
    text = policy_with(ROOT, APP_USES)
    grown = with_statement(text, text.index('"Sid"'), statement)
    assert grown is not None
    assert json.loads(grown)["Statement"] == [ROOT, statement, APP_USES]
    assert guard.check(grown, account_id=ACCOUNT).verdict != "refuse"


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("", []),
        ("  \n", []),
        ('{"Version": "2012-10-17", "Statement": []}', []),
        (json.dumps({"Version": "2012-10-17", "Statement": ROOT}), [ROOT]),
    ],
    ids=["nothing", "blank", "empty list", "no list"],
)
def test_a_statement_finds_its_place_in_policies_of_other_shapes(text: str, before: list[object]) -> None:
    grown = with_statement(text, len(text), APP_USES)
    assert grown is not None
    assert json.loads(grown)["Statement"] == [*before, APP_USES]


def test_a_text_without_a_list_of_statements_takes_none() -> None:
    assert with_statement('{"Version": "2012-10-17"}', 0, APP_USES) is None
