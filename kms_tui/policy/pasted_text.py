"""Recognizes texts that people paste instead of a policy, and finds the policy in them.

Source: the AWS CLI's ``kms get-key-policy`` (its JSON and its text output), the answers of IAM's
GetPolicyVersion and GetRolePolicy, of Organizations' DescribePolicy and of EC2's DescribeVpcEndpoints, the
CloudFormation user guide
(Fn::Join, Fn::Sub, Ref) and Terraform's template syntax.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from kms_tui.policy import json_reader
from kms_tui.policy.describe import quoted
from kms_tui.policy.document import CURRENT_VERSION

MAX_PASTE = 262_144
"""Characters of a text that are read: a policy of the largest size, every character escaped."""


@dataclass(frozen=True, slots=True)
class Paste:
    """A kind of pasted text: a rule's id and a sentence; ``policy`` is the policy in it, or None.

    ``start`` is the place in the text, in characters, that the sentence is about.
    """

    rule: str
    sentence: str
    policy: str | None = None
    start: int = 0


EXTRACT = "kms-tui policy extract takes it out, as Format does in the editor."
_ANSWER = f"This is the JSON answer of aws kms get-key-policy; the policy is the text in it. {EXTRACT}"
_TRAILING_NAME = re.compile(r"\s+default\s*\Z")
_TEMPLATE = re.compile(
    r"\$\{(?:AWS::|var\.|local\.|data\.|module\.|each\.|self\.|aws_[a-z]|[A-Z])[^}]*\}"
    r"|<[A-Za-z][A-Za-z0-9 _-]*>|\{\{[^}]*\}\}"
)
"""``${AWS::AccountId}``, ``${var.account}``, ``<account-id>``, ``{{ account }}``: not policy variables."""
_YAML = re.compile(r"\s*(?:---\s*)?(?:Version|Statement|Id|KeyPolicy|-\s+(?:Effect|Sid))['\"]?\s*:")
_TERRAFORM = re.compile(
    r"""\s*(?:(?:data|resource|module)\s+"|policy\s*=|jsonencode\(|\{\s*"?(?:Version|Statement)"?\s*=)"""
)


def is_policy(text: str) -> bool:
    """Whether a text is a JSON object with a Statement."""
    return _is_policy(_read(text))


def policy_within(text: str) -> str:
    """The policy in an answer of AWS, however it lies there; any other text as it is."""
    paste = recognize(text)
    if paste is None or paste.policy is None or paste.rule == "lone-statement":
        return text
    return paste.policy


def recognize(text: str) -> Paste | None:
    """The kind of a text in a policy's place; None for a policy, and for an unknown kind."""
    text = text[:MAX_PASTE]
    without_name = _TRAILING_NAME.sub("", text)
    if without_name != text and is_policy(without_name):
        sentence = (
            f"This is the text output of aws kms get-key-policy, with the policy's name at its end; {EXTRACT}"
        )
        return Paste("pasted-answer", sentence, without_name)
    value = _read(text)
    if value is None:
        return _no_json(text)
    if isinstance(value, json_reader.Object):
        return _object(text, value)
    if isinstance(value, json_reader.Array) and value.items and all(map(_is_statement, value.items)):
        return _lone(f"These are statements without a policy around them; {EXTRACT}", text)
    if isinstance(value, json_reader.String) and is_policy(value.value):
        return _quoted(value.value)
    return None


def _read(text: str) -> json_reader.Value | None:
    try:
        return json_reader.read(text)
    except json_reader.ScanError:
        return None


def _names_of(value: json_reader.Value | None) -> set[str]:
    return {member.key.value for member in value.members} if isinstance(value, json_reader.Object) else set()


def _is_policy(value: json_reader.Value | None) -> bool:
    return "Statement" in _names_of(value)


def _is_statement(value: json_reader.Value) -> bool:
    return "Effect" in _names_of(value)


def _object(text: str, value: json_reader.Object) -> Paste | None:
    is_wrapper = not _is_policy(value)
    found = _inside(text, value, 0) if is_wrapper else None
    if found is None and _is_statement(value):
        return _lone(f"This is a statement without a policy around it; {EXTRACT}", text)
    is_template = any(map(_is_template, _within(value)))
    if found is None and is_wrapper and not is_template:
        found = _inside(text, value, MAX_WRAPPERS)
    if found is not None:
        return found
    if is_template:
        sentence = (
            "This is a template: Fn::Join, Fn::Sub, Ref and ${…} are filled in on deployment. Paste the "
            "resulting policy."
        )
        return Paste("template", sentence)
    return None


MAX_WRAPPERS = 4
"""How deep a policy may lie in an answer, beside the element that holds it."""


def _inside(text: str, value: json_reader.Object, depth: int) -> Paste | None:
    """The first policy in an answer of AWS: an object, or a string of JSON or in URL encoding."""
    for name, member in value.members:
        inner: json_reader.Value | None = member
        if isinstance(member, json_reader.Array) and len(member.items) == 1:
            inner = member.items[0]
        within = text
        if isinstance(inner, json_reader.String):
            within = _decoded(inner.value)
            inner = _read(within) if within[:1] == "{" else None
            if name.value == "Policy" and _is_policy(inner):
                return Paste("pasted-answer", _ANSWER, within)
        if inner is not None and _is_policy(inner):
            sentence = f"The policy is inside the element {quoted(name.value)}; {EXTRACT}"
            return Paste("pasted-wrapper", sentence, within[inner.span.start : inner.span.end])
        if depth and isinstance(inner, json_reader.Object):
            found = _inside(within, inner, depth - 1)
            if found is not None:
                return found
    return None


def _decoded(text: str) -> str:
    """A text without the URL encoding in which IAM answers policies."""
    text = text.strip()
    return unquote(text) if text[:3].lower() == "%7b" else text


def _lone(sentence: str, statements: str) -> Paste:
    inner = statements.strip()
    return Paste("lone-statement", sentence, f'{{"Version": "{CURRENT_VERSION}", "Statement": {inner}}}')


def _quoted(inner: str) -> Paste:
    return Paste("pasted-string", f"This is a policy as an escaped JSON string; {EXTRACT}", inner)


def _no_json(text: str) -> Paste | None:
    decoded = _decoded(text)
    if decoded != text and is_policy(decoded):
        return Paste("pasted-string", f"This is a policy in URL encoding; {EXTRACT}", decoded)
    value = _read(f'"{text.strip()}"')
    if isinstance(value, json_reader.String) and is_policy(value.value):
        return _quoted(value.value)
    second = _second_document(text)
    if second is not None:
        line, column = json_reader.Lines(text).place(second)
        sentence = (
            "These are two JSON documents, one after the other; a policy is one. The second begins at line "
            f"{line}, column {column}."
        )
        return Paste("two-documents", sentence, start=second)
    if _TERRAFORM.match(text):
        sentence = (
            "This is Terraform's own language: paste the resulting policy, as terraform show -json prints it."
        )
        return Paste("template", sentence)
    if _YAML.match(text):
        return Paste("yaml", "This is YAML; KMS takes JSON only.")
    return None


def _second_document(text: str) -> int | None:
    """The place of a JSON object that follows the JSON with which the text begins."""
    begin = _after_space(text, 0)
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None
    second = _after_space(text, end)
    return second if text.startswith("{", second) else None


def _after_space(text: str, start: int) -> int:
    return len(text) - len(text[start:].lstrip())


def _within(value: json_reader.Value) -> Iterator[json_reader.Value]:
    """The value and all values in it; the reader limits the depth."""
    yield value
    if isinstance(value, json_reader.Object):
        for member in value.members:
            yield from _within(member.value)
    elif isinstance(value, json_reader.Array):
        for item in value.items:
            yield from _within(item)


def _is_template(value: json_reader.Value) -> bool:
    if isinstance(value, json_reader.String):
        return _TEMPLATE.search(value.value) is not None
    return any(name == "Ref" or name.startswith("Fn::") for name in _names_of(value))
