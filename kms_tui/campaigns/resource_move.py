"""One item moved to the new key: what is there is read, then written, then read again.

A resource is touched only where it still names the old key. Errors of the calls pass to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jmespath

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.campaigns.campaign import ALIASES, GRANTS, CampaignItem, ItemState
from kms_tui.command_text import aws_cli, service_line
from kms_tui.key_moves.move import Done, MoveStep, Remainder, ServiceCall, VersionRead, filled
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.operations import SECRET_MEMBERS, may_read, may_write

_MOST_PAGES = 100
_NO_KEY = "NotFoundException"
"""KMS's code for a key, alias or grant that is not there."""
_MOST_UPDATES = 5
"""Writes of others that are carried over for one step."""
_PAGES: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("ssm", "GetParameterHistory"): ("NextToken", "NextToken", "Parameters"),
    ("logs", "DescribeLogGroups"): ("nextToken", "nextToken", "logGroups"),
}
"""Reads that come in pages: the members with the next page's token in request and answer, and the list."""


class Seen(NamedTuple):
    """What a read tells of a step: the text at its path, and why the resource is left alone, or "".

    ``failure`` is why the service did not make a change that it had taken.
    """

    found: str
    left_alone: str = ""
    is_under_way: bool = False
    failure: str = ""


class ItemOutcome(NamedTuple):
    """What has become of an item, in words; untrusted text."""

    state: ItemState
    words: str = ""

    def with_words(self, words: str) -> ItemOutcome:
        """The same with more words."""
        return self._replace(words="; ".join(filter(None, (self.words, words))))


Announce = Callable[[str], None]
"""Told a command line before it is sent."""
KeyOf = Callable[[str], str]
"""The ARN of the key that an alias, id or ARN means in the resource's account now; raises KmsTuiError."""


class LostUpdateError(KmsTuiError):
    """Others write a resource again and again, so that it cannot be moved without losing what they write."""


@dataclass(frozen=True, slots=True)
class ResourceMove:
    """One resource on its way; ``services`` may write, in the item's account and Region.

    ``announce`` gets each write as a command line, without secrets, before it is sent. ``was_begun``: an
    earlier run has sent writes for it.
    """

    item: CampaignItem
    new: str
    old_names: frozenset[str]
    services: Services
    announce: Announce
    key_of: KeyOf = str
    was_begun: bool = False

    def carry_out(self) -> ItemOutcome:
        """Move the resource, as far as it has not been; raises KmsTuiError."""
        values = dict(self.item.values(self.new))
        wrote = is_under_way = False
        for step in self._steps():
            if step.done is None:
                answer = self._call(step.call, values)
            elif step.only_where and not (wrote or self.was_begun):
                continue
            else:
                seen = self._seen(step.done, values)
                if seen.left_alone:
                    return ItemOutcome(ItemState.LEFT_ALONE, seen.left_alone)
                if seen.found == filled(step.done.value, values) and not seen.failure:
                    is_under_way = is_under_way or seen.is_under_way
                    continue
                names_key = step.done.value == "$key" and seen.found != self.new
                if names_key and (other := self._unlike_old(seen.found)) is not None:
                    return other
                answer = self._write(step, values)
                wrote = True
            name, path = step.keeps
            if name:
                values[name] = str(jmespath.search(path, answer))
        if wrote or is_under_way:
            return self._outcome(values)
        return ItemOutcome(ItemState.ALREADY, self._remainder(values))

    def _unlike_old(self, found: str) -> ItemOutcome | None:
        """What has become of a resource that does not name the old key; None for one that does.

        An alias of the old key may mean another one by now. Where that is the new key, the resource is
        written all the same: its data may still be under the old one.
        """
        if not found:
            return ItemOutcome(ItemState.CHANGED, "it names no key now")
        is_old = self._is_old(found)
        if is_old and "alias/" not in found:
            return None
        meant = self._meant(found)
        if is_old and meant in {self.new, found, *self.old_names}:
            return None
        if meant == self.new:
            return ItemOutcome(ItemState.ALREADY, f"it names {found}, which is the new key")
        which = "" if meant == found else f", which is {meant or 'no key'}"
        return ItemOutcome(ItemState.CHANGED, f"it names {found}{which} now")

    def _meant(self, name: str) -> str:
        """The ARN of the key that a name means, "" for none, and the name itself where KMS does not tell."""
        if ":key/" in name:
            return name
        try:
            return self.key_of(name)
        except ServiceError as error:
            if error.code == _NO_KEY:
                return ""
            if self._is_old(name):
                raise
            return name

    def _is_old(self, name: str) -> bool:
        """Whether the plan knew the old key by a name."""
        return name in self.old_names or name == self.item.use.reference

    def look(self) -> ItemOutcome:
        """Whether a change that was sent is seen by now; raises KmsTuiError."""
        values = dict(self.item.values(self.new))
        for step in self._steps():
            if step.done is None and step.keeps[0]:
                values[step.keeps[0]] = str(jmespath.search(step.keeps[1], self._call(step.call, values)))
        return self._outcome(values)

    def _steps(self) -> Sequence[MoveStep]:
        return _steps_of(self.item)

    def _outcome(self, values: Mapping[str, str]) -> ItemOutcome:
        """Read back: MOVED where the resource names the new key, else SENT."""
        for step in self._steps():
            if step.done is None:
                continue
            seen = self._seen(step.done, values)
            if seen.failure:
                return ItemOutcome(ItemState.FAILED, f"taken, and then not made: {seen.failure}")
            if seen.found != filled(step.done.value, values):
                return ItemOutcome(ItemState.SENT, "sent; the service does not show it yet")
            if seen.is_under_way:
                return ItemOutcome(ItemState.SENT, "sent; the service is still at it")
        return ItemOutcome(ItemState.MOVED, self._remainder(values))

    def _seen(self, done: Done, values: Mapping[str, str]) -> Seen:
        answer = self._call(done.read, values)
        path, why = done.left_alone
        if path and jmespath.search(path, answer):
            return Seen("", why)
        found = jmespath.search(filled(done.path, values), answer)
        is_under_way = bool(done.under_way and jmespath.search(done.under_way, answer))
        failure = jmespath.search(done.failure, answer) if done.failure else None
        return Seen("" if found is None else str(found), "", is_under_way, str(failure or ""))

    def _write(self, step: MoveStep, values: Mapping[str, str]) -> Mapping[str, Any]:
        params = filled(step.call.params, values)
        if step.read is None:
            return self._send(step.call, params)
        read = self._call(step.read, values)
        if step.version_read is not None:
            return self._write_version(step, step.version_read, values, read)
        return self._send(step.call, {**params, **jmespath.search(filled(step.taken, values), read)})

    def _write_version(
        self, step: MoveStep, further: VersionRead, values: Mapping[str, str], read: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Write the newest version again, and then what somebody else wrote between the read and the write,
        until nobody has.
        """
        assert step.read is not None
        newest = int(jmespath.search(further.newest, read))
        answer = self._send(step.call, self._of_version(step, further, values, read, newest))
        for _ in range(_MOST_UPDATES):
            written = jmespath.search(further.written, answer)
            if written is None or written == newest + 1:
                return answer
            newest = written
            try:
                again = self._of_version(step, further, values, self._call(step.read, values), written - 1)
            except KmsTuiError as error:
                raise LostUpdateError(
                    f"Somebody else wrote version {written - 1} meanwhile, which cannot be read: {error}",
                    next_step=f"Compare it with version {written}, and write the right one again.",
                ) from error
            answer = self._send(step.call, again)
        raise LostUpdateError(
            "Others write it all the time: what they wrote last may stand in the version before the newest.",
            next_step="Compare its two newest versions, and write the right one again.",
        )

    def _of_version(
        self,
        step: MoveStep,
        further: VersionRead,
        values: Mapping[str, str],
        read: Mapping[str, Any],
        version: int,
    ) -> Mapping[str, Any]:
        """The params of a step's call that write one version again; ``read`` is the answer of its read."""
        known = {**values, "version": str(version)}
        beside = jmespath.search(filled(step.taken, known), read)
        if beside is None:
            raise KmsTuiError(f"Its history does not show version {version} yet.", next_step="Try again.")
        found = jmespath.search(filled(further.taken, known), self._call(further.call, known))
        return {**filled(step.call.params, values), **found, **beside}

    def _send(self, call: ServiceCall, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.announce(_line(self.item, call, params))
        return self.services.call(call.service, call.operation, params)

    def _remainder(self, values: Mapping[str, str]) -> str:
        """What stays under the old key, in words; "" where nothing is known to."""
        remainder: Remainder | None = self.item.move.remainder
        if remainder is None:
            return ""
        found = jmespath.search(filled(remainder.path, values), self._call(remainder.read, values))
        return remainder.words.format(_listed([str(each) for each in found])) if found else ""

    def _call(self, call: ServiceCall, values: Mapping[str, str]) -> Mapping[str, Any]:
        """A read with all its pages."""
        send = partial(self.services.call, call.service, call.operation)
        params = filled(call.params, values)
        answer = dict(send(params))
        token_in, token_out, member = _PAGES.get((call.service, call.operation), ("", "", ""))
        for _ in range(_MOST_PAGES):
            if not token_out or not answer.get(token_out):
                break
            page = send({**params, token_in: answer[token_out]})
            answer = {**page, member: [*answer[member], *page[member]]}
        return answer


def write_lines(item: CampaignItem, new: str, services: Services | None) -> Iterator[str]:
    """The command lines of an item's writes; a secret is INPUT.

    ``services`` are read for what a write repeats, where that is no secret; what cannot be read is left out.
    """
    if item.use.kind == ALIASES:
        yield _repoint_line(item, new, item.region)
    elif item.use.kind == GRANTS:
        yield _grant_line(item, new, item.region)
    values = dict(item.values(new))
    for step in _steps_of(item):
        name, _ = step.keeps
        if name:
            values[name] = name.upper()
        call = step.call
        if may_write(call.service, call.operation):
            secret = SECRET_MEMBERS.get((call.service, call.operation), ()) if step.taken else ()
            params = {**filled(call.params, values), **dict.fromkeys(secret, "")}
            line = _line(item, call, {**params, **_repeated(step, values, services)})
            yield f"# where {step.only_where}: {line}" if step.only_where else line


def _repeated(step: MoveStep, values: Mapping[str, str], services: Services | None) -> Mapping[str, Any]:
    """What a write repeats of what is there; nothing where that is a secret or cannot be read."""
    read = step.read
    if read is None or services is None or not may_read(read.service, read.operation):
        return {}
    try:
        answer = services.call(read.service, read.operation, filled(read.params, values))
        return dict(jmespath.search(filled(step.taken, values), answer) or {})
    except (KmsTuiError, jmespath.exceptions.JMESPathError):
        return {}


def _listed(names: Sequence[str]) -> str:
    """Names with commas; of numbers that follow each other, the first and the last: "1 to 59, 61"."""
    if not all(name.isdecimal() for name in names):
        return ", ".join(names)
    runs: list[list[int]] = []
    for number in sorted(map(int, names)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _steps_of(item: CampaignItem) -> Sequence[MoveStep]:
    return [step for step in item.move.steps if isinstance(step, MoveStep)]


def _line(item: CampaignItem, call: ServiceCall, params: Mapping[str, Any]) -> str:
    return service_line(call.service, call.operation, params, region=item.region)


def _grant_line(item: CampaignItem, new: str, region: str) -> str:
    return aws_cli("CreateGrant", {"KeyId": new, **item.grant}, region=region)


def _repoint_line(item: CampaignItem, new: str, region: str) -> str:
    return aws_cli("UpdateAlias", {"AliasName": item.use.resource, "TargetKeyId": new}, region=region)


def carry_out_in_kms(
    item: CampaignItem, new: str, old_names: frozenset[str], kms: Kms, kms_new: Kms, announce: Announce
) -> ItemOutcome:
    """Create a grant for the new key, or repoint an alias to it; raises KmsTuiError.

    ``kms`` is that of the old key's account, ``kms_new`` that of the new one's.
    """
    if item.use.kind == ALIASES:
        return _repoint(item, new, old_names, kms, announce)
    wanted = {name: value for name, value in item.grant.items() if name != "Name"}
    for grant in kms_new.grants(new):
        there = {
            "GranteePrincipal": grant.grantee,
            "RetiringPrincipal": grant.retiring,
            "Operations": sorted(grant.operations),
            "Constraints": dict(grant.constraints),
        }
        same = {name: value for name, value in there.items() if value}
        if same == {**wanted, "Operations": sorted(wanted["Operations"])}:
            return ItemOutcome(ItemState.ALREADY, f"the new key has the grant {grant.grant_id}")
    if item.use.resource not in {grant.grant_id for grant in kms.grants(item.use.reference)}:
        return ItemOutcome(ItemState.GONE, "the grant was revoked or retired since the plan")
    announce(_grant_line(item, new, kms_new.region))
    created = kms_new.create_grant(new, **item.grant)
    return ItemOutcome(ItemState.MOVED, f"the new key has the grant {created.grant_id}")


def _repoint(
    item: CampaignItem, new: str, old_names: frozenset[str], kms: Kms, announce: Announce
) -> ItemOutcome:
    name = item.use.resource
    found = kms.describe(name).arn
    if found == new:
        return ItemOutcome(ItemState.ALREADY)
    if found not in old_names:
        return ItemOutcome(ItemState.CHANGED, f"it names {found} now")
    announce(_repoint_line(item, new, kms.region))
    kms.update_alias(name, new)
    return ItemOutcome(ItemState.MOVED)
