"""The data keys in a sops file that KMS keys wrap, each with its place in the text.

A sops file (YAML, JSON, INI, dotenv; binary is JSON) holds its data key once for each master key, under
``sops: kms:``, or in fragments under ``sops: key_groups:``. The MAC covers the values alone, and is encrypted
with the data key under the time of the last change; so an entry can be replaced, and nothing else changes.
The text is edited by position: comments, order and form of all else stay. (What people paste of such a
file is read by ``crypto_ops/pasted_inputs.py``, which takes fragments and knows no places.)

Source: getsops/sops, stores/stores.go (metadata), stores/flatten.go (INI, dotenv), aes/cipher.go (the form of
values), decrypt (the MAC).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy import json_reader

MAX_METADATA = 1 << 20
"""Characters of the metadata that are taken apart; that of a file under twenty keys has 20,000."""

_TOML = re.compile(r"^\[\[?sops\.", re.MULTILINE)
_VALUE = re.compile(
    r"ENC\[AES256_GCM,data:([A-Za-z0-9+/=]*),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:\w+\]"
)
_KMS_KEY = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:(?:key|alias)/")


class SopsFileError(KmsTuiError):
    """A text that is a sops file, but cannot be edited."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This looks like a sops file, but {reason}.", next_step="sops updatekeys changes its keys."
        )


class Written(NamedTuple):
    """A text value and where it is written; ``quote`` is its quotation mark, "" for none."""

    value: str
    start: int
    end: int
    quote: str


Tree = Written | Mapping[str, Any] | Sequence[Any] | None
"""Metadata: ``Written`` where it has text, mappings and lists of the same; None for all else."""


@dataclass(frozen=True, slots=True)
class WrappedDataKey:
    """An entry of a KMS key; all of it is untrusted."""

    arn: Written
    ciphertext: Written
    """In base64."""
    created: Written | None
    context: Mapping[str, str]
    group: int
    role: str = ""
    """The role that sops assumes to use the key, or ""."""

    def blob(self) -> bytes:
        """The bytes of the ciphertext; SopsFileError where it is not base64."""
        try:
            return base64.b64decode("".join(self.ciphertext.value.split()), validate=True)
        except ValueError:
            raise SopsFileError("the enc of one of its KMS keys is not base64") from None


@dataclass(frozen=True, slots=True)
class SopsFile:
    """What a sops file says about its keys."""

    form: str
    """"YAML", "JSON", "INI" or "dotenv"."""
    keys: tuple[WrappedDataKey, ...]
    is_split: bool
    """Whether each group wraps a fragment of the data key (Shamir's secret sharing)."""
    mac: str
    changed: str
    """The time of the last change, as it is written."""


class NewEntry(NamedTuple):
    """What an entry shall say."""

    arn: str
    ciphertext: bytes
    created: str


def read(text: str) -> SopsFile | None:
    """The keys of a sops file; None for any other text. Raises SopsFileError."""
    if "sops" not in text or _VALUE.search(text) is None:
        return None
    if _TOML.search(text):
        raise SopsFileError("it is TOML, which is not edited here")
    try:
        for form, trees_of in _FORMS.items():
            trees = [tree for tree in trees_of(text) if _is_metadata(tree)]
            if trees:
                return _sops_file(form, trees)
    except (RecursionError, json_reader.ScanError):
        raise SopsFileError("its metadata cannot be read") from None
    if _KMS_KEY.search(text) is not None:
        raise SopsFileError("its metadata is not written as sops writes it")
    return None


def replaced(text: str, entries: Sequence[tuple[WrappedDataKey, NewEntry]]) -> str:
    """The text with these entries changed, and with nothing else changed."""
    edits: list[tuple[Written, str]] = []
    for old, new in entries:
        edits += [(old.arn, new.arn), (old.ciphertext, base64.b64encode(new.ciphertext).decode())]
        edits += [(old.created, new.created)] if old.created is not None else []
    edits.sort(key=lambda edit: edit[0].start)
    parts, position = [], 0
    for place, value in edits:
        if place.start < position:
            raise SopsFileError("its KMS keys share parts of its text")
        parts += [text[position : place.start], _quoted(value, place.quote)]
        position = place.end
    return "".join([*parts, text[position:]])


def opens_mac(file: SopsFile, data_key: bytes) -> bool:
    """Whether this is the file's data key: whether its MAC opens with it."""
    found = _VALUE.fullmatch(file.mac.strip())
    if found is None:
        return False
    try:
        data, nonce, tag = (base64.b64decode(part, validate=True) for part in found.groups())
        AESGCM(data_key).decrypt(nonce, data + tag, file.changed.encode())
    except (InvalidTag, ValueError):
        return False
    return True


def _quoted(value: str, quote: str) -> str:
    return f"{quote}{value}{quote}"  # ARNs, base64 and times hold nothing that must be escaped


def _is_metadata(tree: Tree) -> bool:
    return isinstance(tree, Mapping) and isinstance(tree.get("mac"), Written) and "lastmodified" in tree


def _sops_file(form: str, trees: Sequence[Any]) -> SopsFile:
    """``trees`` has the metadata of each document of the file, which are the same."""
    keys = tuple(key for tree in trees for key in _keys_of(tree))
    places = [key.ciphertext.start for key in keys]
    if len(set(places)) < len(places):
        raise SopsFileError("its KMS keys are written as aliases of one another")
    changed = trees[0]["lastmodified"]
    return SopsFile(
        form,
        keys,
        len(_items(trees[0].get("key_groups"))) > 1,
        trees[0]["mac"].value,
        changed.value if isinstance(changed, Written) else "",
    )


def _keys_of(metadata: Mapping[str, Any]) -> Iterator[WrappedDataKey]:
    for number, group in enumerate((metadata, *_items(metadata.get("key_groups")))):
        if not isinstance(group, Mapping):
            continue
        for entry in _items(group.get("kms")):
            if not isinstance(entry, Mapping):
                continue
            arn, ciphertext, created = entry.get("arn"), entry.get("enc"), entry.get("created_at")
            if not isinstance(arn, Written) or not isinstance(ciphertext, Written):
                raise SopsFileError("one of its KMS keys has no arn or no enc")
            pairs = entry.get("context")
            context = {
                name: value.value
                for name, value in (pairs.items() if isinstance(pairs, Mapping) else ())
                if isinstance(value, Written)
            }
            role = entry.get("role")
            yield WrappedDataKey(
                arn,
                ciphertext,
                created if isinstance(created, Written) else None,
                context,
                number,
                role.value if isinstance(role, Written) else "",
            )


def _items(tree: Tree) -> Sequence[Any]:
    """The items of a list; INI and dotenv have a mapping of numbers for one."""
    if isinstance(tree, Mapping):
        return list(tree.values())
    return tree if isinstance(tree, list) else ()


# JSON


def top_level(text: str) -> Mapping[str, tuple[int, int]]:
    """The members of a JSON object and where their values stand; none for any other text.

    Only their ends are looked for, so that values may be of any size.
    """
    decoder, members = json.JSONDecoder(), dict[str, tuple[int, int]]()
    position = _SPACE.match(text, 1 if text.startswith("\ufeff") else 0).end()  # type: ignore[union-attr]
    if text[position : position + 1] != "{":
        return {}
    try:
        while text[position : position + 1] in ("{", ","):
            name, position = decoder.raw_decode(text, _after_space(text, position + 1))
            position = _after_space(text, position)
            if text[position : position + 1] != ":" or not isinstance(name, str):
                return {}
            start = _after_space(text, position + 1)
            _, position = decoder.raw_decode(text, start)
            members[name] = start, position
            position = _after_space(text, position)
    except (ValueError, RecursionError):
        return {}
    return members if text[position : position + 1] == "}" and not text[position + 1 :].strip() else {}


_SPACE = re.compile(r"[ \t\r\n]*")


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _of_json(text: str) -> Iterator[Tree]:
    start, end = top_level(text).get("sops", (0, 0))
    if end:
        yield _json_tree(json_reader.read(_metadata(text[start:end])), start)


def _json_tree(value: json_reader.Value, offset: int) -> Tree:
    if isinstance(value, json_reader.String):
        return Written(value.value, value.span.start + offset, value.span.end + offset, '"')
    if isinstance(value, json_reader.Object):
        return {member.key.value: _json_tree(member.value, offset) for member in value.members}
    if isinstance(value, json_reader.Array):
        return [_json_tree(item, offset) for item in value.items]
    return None


def _metadata(text: str) -> str:
    if len(text) > MAX_METADATA:
        raise SopsFileError("its metadata is larger than any that sops writes")
    return text


# YAML


_YAML_BLOCK = re.compile(
    r"""^(?:sops|"sops"|'sops'):[ \t]*(?:\#[^\n]*)?\r?\n(?:(?:[ \t#][^\n]*)?(?:\n|\Z))*""", re.MULTILINE
)
"""The metadata, a member of the document that is written below its name."""


def _of_yaml(text: str) -> Iterator[Tree]:
    import yaml  # for texts that are sops files alone

    for block in _YAML_BLOCK.finditer(text):
        if not block[0].strip():
            continue
        try:
            root = yaml.compose(_metadata(block[0]), Loader=yaml.SafeLoader)
        except yaml.YAMLError:
            raise SopsFileError("its metadata is not valid YAML") from None
        if isinstance(root, yaml.MappingNode) and len(root.value) == 1:
            yield _yaml_tree(root.value[0][1], block[0], block.start(), [20_000])


def _yaml_tree(node: Any, text: str, offset: int, left: list[int]) -> Tree:
    """``left`` are the nodes that may still be taken: aliases of aliases stand for any number."""
    import yaml

    left[0] -= 1
    if left[0] < 0:
        raise SopsFileError("its metadata is larger than any that sops writes")
    if isinstance(node, yaml.MappingNode):
        return {
            str(name.value): _yaml_tree(value, text, offset, left)
            for name, value in node.value
            if isinstance(name, yaml.ScalarNode)
        }
    if isinstance(node, yaml.SequenceNode):
        return [_yaml_tree(item, text, offset, left) for item in node.value]
    start, end = node.start_mark.index, node.end_mark.index
    written = text[start:end].rstrip()
    quote = written[0] if written[:1] in ("'", '"') else ""
    return Written(str(node.value), start + offset, start + len(written) + offset, quote)


# INI and dotenv


_FLAT_LINE = re.compile(r"^[ \t]*([A-Za-z][^=\r\n]*?)[ \t]*=[ \t]*([^\r\n]*?)[ \t]*\r?$", re.MULTILINE)
_INI_SECTION = re.compile(r"^\[sops\][ \t]*\r?\n((?:(?!\[)[^\n]*(?:\n|\Z))*)", re.MULTILINE)
_STEP = re.compile(r"__(?:list|map)_")


def _of_ini(text: str) -> Iterator[Tree]:
    for section in _INI_SECTION.finditer(text):
        yield _flat_tree(_metadata(section[1]), section.start(1), "")


def _of_dotenv(text: str) -> Iterator[Tree]:
    if re.search(r"^sops_mac=", text, re.MULTILINE):
        yield _flat_tree(text, 0, "sops_")


def _flat_tree(text: str, offset: int, prefix: str) -> Tree:
    root: dict[str, Any] = {}
    for line in _FLAT_LINE.finditer(text):
        if not line[1].startswith(prefix):
            continue
        *above, last = _STEP.split(line[1].removeprefix(prefix))
        place = root
        for step in above:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise SopsFileError("its metadata cannot be read")
        value, start = line[2], line.start(2) + offset
        quote = value[0] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`" else ""
        place[last] = Written(value.strip(quote) if quote else value, start, start + len(value), quote)
    return root


_FORMS = {"JSON": _of_json, "YAML": _of_yaml, "INI": _of_ini, "dotenv": _of_dotenv}
