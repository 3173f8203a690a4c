"""Whether a statement's Resource covers a key."""

from __future__ import annotations

from collections.abc import Callable

from kms_tui.kms.arn import Arn
from kms_tui.policy import actions, wildcard
from kms_tui.policy.conditions import Resolve, UnsetVariableError, filled
from kms_tui.policy.document import CURRENT_VERSION, Document, Statement
from kms_tui.policy.search import Budget

_UNLIKELY_KEYS = ("key/0badc0de-0bad-c0de-0bad-c0de0badc0de", "key/mrk-0badc0de0badc0de0badc0de0badc0de")
_UNLIKELY_REGION = "xx-unlikely-9"


def no_value(_key: str) -> str | None:
    """A ``Resolve`` for a request that has no context."""
    return None


def covers(document: Document, statement: Statement, key_arn: str, resolve: Resolve = no_value) -> bool:
    """Whether the statement applies to the key of that ARN; False where it has no Resource at all."""
    if not statement.resources:
        return False
    variables = document.version == CURRENT_VERSION
    found = any(_matches(text.value, key_arn, variables, resolve) for text in statement.resources)
    return found != statement.not_resource


def _matches(pattern: str, key_arn: str, variables: bool, resolve: Resolve) -> bool:
    if pattern == "*":
        return True
    if not variables or "${" not in pattern:
        return wildcard.matches(wildcard.squeezed(pattern), key_arn)
    try:
        tokens = filled(pattern, resolve, wildcards=True)
    except UnsetVariableError:
        return False
    return wildcard.matches_tokens(tokens, key_arn)


def covers_some_key(
    document: Document,
    statement: Statement,
    account_id: str,
    partition: str,
    resolve: Resolve,
    budget: Budget,
) -> bool | None:
    """``covers`` where the key's ARN is not known: True for any key of the account, False for none, None
    for some.
    """
    anywhere = [
        str(Arn(partition, "kms", _UNLIKELY_REGION, account_id, resource)) for resource in _UNLIKELY_KEYS
    ]
    if all(covers(document, statement, arn, resolve) for arn in anywhere):
        return True
    if statement.not_resource:
        return None if statement.resources else False
    template = wildcard.tokenize(f"arn:{partition}:kms:?*:{account_id}:key/?*")
    possible = any(
        wildcard.witness([template, wildcard.tokenize(text.value)], "a", budget, never=":/") is not None
        for text in statement.resources
    )
    return None if possible else False


def action_mask(statement: Statement, matching: Callable[[str], int] = actions.matching) -> int:
    """The actions that a statement is about, as a mask of ``kms_tui.policy.actions`` bits; 0 where it has
    none.
    """
    named = 0
    for text in statement.actions:
        named |= matching(text.value)
    if statement.not_action:
        return actions.ALL & ~named if statement.actions else 0
    return named
