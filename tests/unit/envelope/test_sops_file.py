"""A sops file's keys are found with their places, and replaced with nothing else changed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.envelope import sops_file
from kms_tui.envelope.sops_file import NewEntry, SopsFile, SopsFileError
from tests.unit.reencryption.samples import SOPS_FORMS, WHEN, Account, SopsSample, an_account

NEW = NewEntry(
    "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000009",
    b"new ciphertext",
    "2026-11-30T10:00:00Z",
)

MAC = "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]"


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with an_account() as account:
        yield account


def read(text: str) -> SopsFile:
    found = sops_file.read(text)
    assert found is not None
    return found


def with_new_first(text: str) -> str:
    return sops_file.replaced(text, [(read(text).keys[0], NEW)])


@pytest.mark.parametrize("form", SOPS_FORMS)
def test_the_keys_are_read(account: Account, form: str) -> None:
    sample = SopsSample(account, account.old, account.other, context={"app": "orders"})
    found = read(getattr(sample, form)())
    assert found.form.lower() == form
    assert [key.arn.value for key in found.keys] == [account.old, account.other]
    assert [key.blob() for key in found.keys] == [blob for _, blob in sample.wrapped]
    assert [key.context for key in found.keys] == [{"app": "orders"}] * 2
    assert sops_file.opens_mac(found, sample.data_key)
    assert not sops_file.opens_mac(found, bytes(32))


@pytest.mark.parametrize("form", SOPS_FORMS)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_one_key_is_replaced_and_nothing_else(account: Account, form: str, line_break: str) -> None:
    sample = SopsSample(account, account.old, account.other)
    text = getattr(sample, form)().replace("\n", line_break)
    new = with_new_first(text)
    old_lines, new_lines = text.split("\n"), new.split("\n")
    assert len(old_lines) == len(new_lines)
    changed = [(old, now) for old, now in zip(old_lines, new_lines, strict=True) if old != now]
    values = (
        (account.old, NEW.arn),
        (WHEN, NEW.created),
        (base64.b64encode(sample.wrapped[0][1]).decode(), base64.b64encode(NEW.ciphertext).decode()),
    )
    assert len(changed) == 3
    for old, now in changed:
        assert now in [old.replace(before, after) for before, after in values]
    (first, second) = read(new).keys
    assert (first.arn.value, first.blob()) == (NEW.arn, NEW.ciphertext)
    assert second.arn.value == account.other


SCALARS = ("plain", "single", "double", "folded", "literal")


@settings(max_examples=30, deadline=None)
@given(
    styles=st.lists(st.sampled_from(SCALARS), min_size=3, max_size=3),
    indent=st.integers(0, 6),
    comment=st.sampled_from(["", " # a comment: with 'quotes\""]),
)
def test_yaml_of_every_style_is_read_and_replaced(styles: list[str], indent: int, comment: str) -> None:
    values = {"arn": NEW.arn.replace("09", "01"), "created_at": WHEN, "enc": "QUJD" * 40}
    pad = " " * (indent + 2)
    lines = []
    for (name, value), style in zip(values.items(), styles, strict=True):
        mark = {"single": "'", "double": '"'}.get(style, "")
        if style in ("folded", "literal"):
            lines += [f"{pad}{name}: {'>-' if style == 'folded' else '|'}", f"{pad}  {value}"]
        else:
            lines += [f"{pad}{name}: {mark}{value}{mark}{comment}"]
    lines[0] = f"{' ' * indent}- {lines[0].lstrip()}"
    text = "\n".join(
        [
            "sops:   # metadata",
            " kms:",
            *(f" {line}" for line in lines),
            f" lastmodified: '{WHEN}'",
            f" mac: {MAC}",
            "after: 1",
        ]
    )
    (key,) = read(text).keys
    assert key.blob() == base64.b64decode("QUJD" * 40)
    (new,) = read(with_new_first(text)).keys
    assert (new.arn.value.strip(), new.blob()) == (NEW.arn, NEW.ciphertext)
    assert with_new_first(text).endswith("after: 1")


def test_key_groups_are_fragments(account: Account) -> None:
    sample = SopsSample(account, account.old)
    groups = [{"kms": sample.entries()}, {"kms": sample.entries()}, {"age": []}]
    metadata = {"shamir_threshold": 2, "key_groups": groups, "lastmodified": WHEN, "mac": sample.mac}
    found = read(json.dumps({"sops": metadata}))
    assert found.is_split
    assert [key.group for key in found.keys] == [1, 2]
    flat = (
        f"sops_key_groups__list_0__map_kms__list_0__map_arn={account.old}\n"
        "sops_key_groups__list_0__map_kms__list_0__map_enc=QUJD\n"
        f"sops_key_groups__list_1__map_kms__list_0__map_arn={account.other}\n"
        f"sops_key_groups__list_1__map_kms__list_0__map_enc=QUJD\nsops_mac={MAC}\nsops_lastmodified={WHEN}\n"
    )
    assert [key.arn.value for key in read(flat).keys] == [account.old, account.other]
    assert read(flat).is_split


def test_every_document_of_a_yaml_file_is_read(account: Account) -> None:
    text = SopsSample(account, account.old).yaml()
    assert len(read(f"{text}\n---\n{text}\n").keys) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sops",
        "sops: is a tool\n",
        "sops:\n    creation_rules: []\n",
        '{"sops": 1}',
        '{"sops": {}}',
        '{"sops": ',
        "[sops]\na = b\n",
        "sops_version=1\n",
        "a: 1\nsops:\n\n\n",
        "# sops:\n",
        "sops:\n  - not: [valid\n",
        f"how sops writes a value: {MAC}\n",
        f'SAMPLE = f"sops:\\n  kms:\\n  - arn: {{ARN}}\\n  mac: {MAC}"\n',
    ],
)
def test_another_text_is_none(text: str) -> None:
    assert sops_file.read(text) is None


DEEP = "[" * 3000
BOMB = "\n".join(
    ["  a0: &a0 [x]", *(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
)


@pytest.mark.parametrize(
    "text",
    [
        f"sops:\n  mac: MAC\n  lastmodified: y\n  kms: {DEEP}\n",
        f'{{"sops": {{"mac": "MAC", "lastmodified": "y", "kms": {"[" * 60 + "]" * 60}}}}}',
        f"sops:\n  mac: MAC\n  lastmodified: y\n{BOMB}\n",
        "sops:\n  mac: MAC\n  lastmodified: y\n  kms:\n    - {arn: a}\n",
        "sops:\n  mac: MAC\n  lastmodified: y\n  kms: [\n",
        "sops:\n\tmac: MAC\n",
        f"sops:\n  mac: MAC\n  lastmodified: y\n  filler: {'z' * (1 << 20)}\n",
        "sops:\n  mac: MAC\n  lastmodified: y\n  kms:\n    - &a {arn: a, enc: QUJD}\n    - *a\n",
        "sops_mac=MAC\nsops_lastmodified=y\nsops_kms=1\nsops_kms__list_0__map_arn=a\n",
        '[sops]\nmac = "MAC"\nlastmodified = "y"\n\n[[sops.kms]]\narn = "a"\nenc = "QUJD"\n',
        f"sops: {{kms: [{{arn: '{NEW.arn}', enc: QUJD}}], lastmodified: y, mac: 'MAC'}}\n",
    ],
)
def test_a_hostile_file_gets_a_sentence(text: str) -> None:
    with pytest.raises(SopsFileError, match="This looks like a sops file, but"):
        sops_file.read(text.replace("MAC", MAC))


def test_the_enc_must_be_base64(account: Account) -> None:
    text = re.sub(r"enc: .*", "enc: '%%%'", SopsSample(account, account.old).yaml())
    with pytest.raises(SopsFileError, match="not base64"):
        read(text).keys[0].blob()
