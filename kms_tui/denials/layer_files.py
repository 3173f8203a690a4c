"""The layers of policies that files give in the place of what would be read.

A file of a layer holds a policy, or a list of policies. Each file of SCPs or RCPs is one level of the
organization, from the root down to the account. Where it only denies, the level has AWS's own policy that
allows everything besides, which Organizations attaches to every root, unit and account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kms_tui.atomic import file_errors
from kms_tui.formats import encoding_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.layers import Layer, Layers, Levels, NamedPolicy, Policies, read_policy

_MAX_BYTES = 8 * 1024 * 1024
_BUNDLE_HINT = "A file holds one policy as JSON, or a list of policies."


@dataclass(frozen=True, slots=True)
class LayerFiles:
    """The files of each layer; a layer without files is read, or stays unknown.

    ``no_session_policy`` says that none was passed when the session began.
    """

    identity: Sequence[Path] = ()
    boundary: Sequence[Path] = ()
    session: Sequence[Path] = ()
    scps: Sequence[Path] = ()
    rcps: Sequence[Path] = ()
    endpoint: Sequence[Path] = ()
    no_session_policy: bool = False

    @property
    def is_empty(self) -> bool:
        return (
            not any((self.identity, self.boundary, self.session, self.scps, self.rcps, self.endpoint))
            and not self.no_session_policy
        )


def with_files(layers: Layers, files: LayerFiles) -> Layers:
    """The layers, those of the files in the place of what was read.

    Raises FileError for a file that cannot be read, KmsTuiError for one that holds no policy.
    """
    if files.identity:
        layers = replace(layers, identity=_together(Layer.IDENTITY, files.identity))
    if files.boundary:
        layers = replace(layers, boundary=_one(Layer.BOUNDARY, files.boundary))
    if files.session:
        layers = replace(layers, session=_together(Layer.SESSION, files.session))
    elif files.no_session_policy:
        layers = replace(layers, session=())
    if files.scps:
        layers = replace(layers, scps=_levels(Layer.SCP, files.scps))
    if files.rcps:
        layers = replace(layers, rcps=_levels(Layer.RCP, files.rcps))
    if files.endpoint:
        layers = replace(layers, endpoint=_one(Layer.ENDPOINT, files.endpoint))
    return layers


def _together(layer: Layer, paths: Sequence[Path]) -> Policies:
    return tuple(policy for path in paths for policy in policies_in(layer, path))


def _levels(layer: Layer, paths: Sequence[Path]) -> Levels:
    return tuple(_level(layer, tuple(policies_in(layer, path))) for path in paths)


def _level(layer: Layer, policies: Policies) -> Policies:
    allows = any(each.is_allow for policy in policies for each in policy.document.statements)
    return policies if allows else (_FULL_ACCESS[layer], *policies)


_FULL_ACCESS = {
    Layer.SCP: read_policy(
        Layer.SCP,
        "FullAWSAccess",
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    ),
    Layer.RCP: read_policy(
        Layer.RCP,
        "RCPFullAWSAccess",
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", '
        '"Resource": "*"}}',
    ),
}


def _one(layer: Layer, paths: Sequence[Path]) -> NamedPolicy:
    found = _together(layer, paths)
    if len(found) != 1:
        raise KmsTuiError(f"There can be one {layer.term}, and these files hold {len(found)}: {paths[-1]}.")
    return found[0]


def policies_in(layer: Layer, path: Path) -> Iterator[NamedPolicy]:
    """The policies in a file: one, or a list of them. Raises FileError and KmsTuiError."""
    with file_errors(path, "read"), path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise KmsTuiError(f"{path} is longer than {_MAX_BYTES // 1024 // 1024} MB: it is no policy.")
    text = content.decode(encoding_of(content), "replace")
    texts = _items(text)
    for number, each in enumerate(texts, 1):
        name = str(path) if len(texts) == 1 else f"{path}, policy {number}"
        policy = read_policy(layer, name, each)
        for problem in policy.document.problems:
            line, column = policy.document.place(problem.span)
            raise KmsTuiError(
                f"{name} is no {layer.term}: line {line}, column {column}: {problem.sentence}",
                next_step=_BUNDLE_HINT,
            )
        yield policy


def _items(text: str) -> list[str]:
    """The policies of a list as their own texts, of which nothing is lost; any other text is one."""
    if not text.lstrip().startswith("["):
        return [text]
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    items: list[str] = []
    try:
        json.loads(text)
        while (start := _NEXT.match(text, place)) is not None:
            _, place = decoder.raw_decode(text, start.end())
            items.append(text[start.end() : place])
    except (ValueError, RecursionError):
        return [text]
    return items or [text]


_NEXT = re.compile(r"[ \t\r\n,]*+(?!\])")
"""What is before an item of a list."""
