"""Reads the JSON of tokens strictly: an object, each member once, numbers that JSON has, no deep nesting."""

from __future__ import annotations

import json
import math
from typing import Any

from kms_tui.formats import members_once
from kms_tui.signing.tokens.token_errors import TokenError, TokenField


def read_object(text: str, what: str, field: TokenField) -> dict[str, Any]:
    """The JSON object in a text. TokenError names ``what`` ("The header"), the place, and no value."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=members_once,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError:
        raise TokenError(field, f"{what} cannot be read: its JSON nests too deep.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise TokenError(field, f"{what} cannot be read as JSON: {place}: {error.msg}.") from None
    except ValueError as error:
        raise TokenError(field, f"{what} cannot be read as JSON: {error}.") from None
    if not isinstance(value, dict):
        raise TokenError(field, f"{what} must be a JSON object; here is {_kind(value)}.")
    require_utf8(value, what, field)
    return value


def require_utf8(value: object, what: str, field: TokenField) -> None:
    """TokenError for half a surrogate pair: in JSON, or what a terminal makes of bytes that are no UTF-8."""
    try:
        compact(value).encode()
    except UnicodeEncodeError:
        raise TokenError(field, f"{what} cannot be written as UTF-8: half a character is in it.") from None


def read_value(text: str, what: str, field: TokenField) -> Any:
    """Any JSON value, read as strictly."""
    return read_object(f'{{"value":{text}}}', what, field)["value"]


def compact(value: object) -> str:
    """JSON as it stands in tokens: without white space, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is larger than any double")
    return number


def _whole(text: str) -> int:
    if len(text) > 400:
        raise ValueError("a number has more than 400 digits")
    return int(text)


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(
        type(value), "a number"
    )
