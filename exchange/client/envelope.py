"""The exchange's answer, from bytes to a checked envelope, before anything is decided about it (dossier 1)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exchange.types import fields

LONGEST_WORDING = 200  # characters of the exchange's own text that are kept


class Unreadable(ValueError):
    """The body is not an envelope; the text says how, without quoting it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`code` is None when the exchange sent a word in its place. `original`, a copy of the request, is dropped."""

    code: int | None
    wording: str
    method: str
    request_id: int | None
    result: Any
    order_id: str
    list_id: str
    client_oid: str

    @property
    def has_ids(self) -> bool:
        """Whether the answer names an order or a list, so that a record of it may exist (dossier 1.1)."""
        return bool(self.order_id or self.list_id or self.client_oid)


def read_envelope(body: bytes, redact: Callable[[str], str]) -> Envelope:
    """Read one answer. Numbers stay exact; `redact` cleans the exchange's wording. Raises Unreadable."""
    answer = _read_object(body)
    result = answer.get("result")
    code = _code(answer)
    return Envelope(
        code=code if isinstance(code, int) else None,
        wording=redact(_words(answer) or (code if isinstance(code, str) else ""))[:LONGEST_WORDING],
        method=str(answer.get("method") or ""),
        request_id=_request_id(answer),
        result=result,
        order_id=_id(result, "order_id"),
        list_id=_id(result, "list_id"),
        client_oid=_id(result, "client_oid"),
    )


def _read_object(body: bytes) -> Mapping[str, Any]:
    if not body.strip():
        raise Unreadable("the body is empty")
    if body.lstrip().startswith(b"<"):
        raise Unreadable("a web page came instead of data")
    try:
        answer = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, Mapping):
        raise Unreadable("the data are cut off or damaged")
    return answer


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _code(answer: Mapping[str, Any]) -> int | str:
    """The code as number, whatever it was written as; a word is kept as a word (dossier 3.1)."""
    try:
        return fields.required_integer(answer, "code")
    except ValueError:
        word = answer.get("code")
    if not isinstance(word, str) or not word.isupper():
        raise Unreadable("the answer carries no result code")
    return word


def _words(answer: Mapping[str, Any]) -> str:
    """The exchange's text; gateways call it `msg` (dossier 1)."""
    words = answer.get("message") or answer.get("msg")
    return " ".join(words.split()) if isinstance(words, str) else ""


def _request_id(answer: Mapping[str, Any]) -> int | None:
    """The echoed id; None when absent, unreadable, or one of the exchange's ways to say "none" (dossier 1)."""
    try:
        echoed = fields.integer(answer, "id")
    except ValueError:
        return None
    return echoed if echoed not in (-1, 0) else None


def _id(result: object, name: str) -> str:
    try:
        return fields.text(result, name) if isinstance(result, Mapping) else ""
    except ValueError:
        return ""
