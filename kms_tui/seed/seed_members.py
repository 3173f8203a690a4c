"""What readers of a seed's parts share: problems with their places, moments, policies, files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kms_tui.atomic import FileError, file_errors
from kms_tui.backend.local.store.sources import to_millis
from kms_tui.kms.arn import partition_of
from kms_tui.policy import Document
from kms_tui.seed.fixed_material import file_in
from kms_tui.seed.seed_document import MemberPath, SeedDocument, ended

Members = Mapping[str, Any]
FILE = "file"
_MAX_POLICY_FILE = 1024 * 1024


class MemberReader:
    """A document, whose shape is right, and what was found wrong with its meaning so far."""

    def __init__(self, document: SeedDocument, account: str, region: str) -> None:
        self.document = document
        self.problems: list[str] = []
        self.account = self.account_in(document.data) or account
        self.region = str(document.data.get("region", region))
        if "region" in document.data:
            self.partition(self.region, ("region",))

    def problem(self, path: MemberPath, sentence: str) -> None:
        self.problems.append(ended(f"{self.document.place(path)} {sentence}"))

    def place(self, path: MemberPath) -> str:
        return self.document.place(path)

    def account_in(self, members: Members, name: str = "account") -> str:
        """The account's id, or ""."""
        return str(members.get(name, ""))

    def partition(self, region: str, path: MemberPath) -> str:
        """The partition of a Region, which is a problem where there is none of that name."""
        found = partition_of(region)
        if not found:
            self.problem(path, f"is {region}, and no partition of AWS has a Region of that name")
        return found or "aws"

    def moment(self, members: Members, name: str, path: MemberPath) -> int | None:
        """A moment in milliseconds; one without an offset is in UTC."""
        text = members.get(name)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
            return to_millis(found if found.tzinfo else found.replace(tzinfo=UTC))
        except (ValueError, OverflowError) as error:
            self.problem((*path, name), f"is {text}, which no calendar has: {error}")
            return None

    def pairs(self, members: Members, name: str) -> tuple[tuple[str, str], ...]:
        return tuple(members.get(name, {}).items())

    def policy_text(self, value: object, path: MemberPath) -> str | None:
        """The text of a policy: as given, of a file, or of an object; None where there is none to be had."""
        if isinstance(value, str):
            return value
        assert isinstance(value, Mapping)
        if set(value) != {FILE}:
            return json.dumps(value, indent=2)
        content = self.file(value[FILE], (*path, FILE), _MAX_POLICY_FILE)
        if content is None:
            return None
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            self.problem(
                (*path, FILE), f"names a file that is no text: byte {error.start + 1:,} cannot be read"
            )
            return None

    def file(self, name: object, path: MemberPath, limit: int) -> bytes | None:
        """The content of a file that a member names."""
        if not isinstance(name, str) or not name:
            self.problem(path, "is no path of a file")
            return None
        try:
            with file_errors(name, "read"):
                return file_in(self.document.folder, name, limit)
        except FileError as error:
            self.problem(path, f"names a file that is not to be had: {str(error).rstrip('.')}")
            return None

    def judge_policy(self, value: object, path: MemberPath, document: Document) -> None:
        """A problem for each that the policy's own reader found, where it stands."""
        for problem in document.problems:
            sentence = problem.sentence.rstrip(".")
            if isinstance(value, Mapping) and set(value) != {FILE}:
                inner = () if problem.statement is None else ("Statement", problem.statement)
                self.problem((*path, *inner), f"is no sound policy: {sentence}")
            else:
                line, column = document.place(problem.span)
                where = f"line {line}, column {column} of its text"
                self.problem(path, f"is no sound policy: {where}: {sentence}")
