"""What becomes of one message under the fault rules of the streams (stream_options.STREAM_KINDS)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from exchange.simulator.faults import (
    AMOUNT_FIELDS,
    FaultRule,
    as_number,
    false_rows,
    map_objects,
    map_values,
    to_json,
)
from exchange.simulator.models import Row

MessageKind = Literal["answer", "first", "update", "heartbeat", "ping"]
Action = Literal["send", "ping", "close", "reset", "dead"]
PUSHES = ("first", "update")
NORMAL_CLOSURE = 1000
ONLY_PUSHES, ONLY_FIRST = "mute", "late_snapshot"
NOT_FOR_PINGS = (
    "unknown_fields",
    "unknown_channel",
    "numbers",
    "lie",
    "garbage",
    "truncate",
    "duplicate",
    "reorder",
)
UNKNOWN_RESULT = {"subscription": "user.surprise", "channel": "user.surprise", "data": [{"zz": "1"}]}


@dataclass(frozen=True, slots=True)
class Message:
    """`topic` is what the rules name: a method, "ping", or a channel without its instrument."""

    topic: str
    kind: MessageKind
    body: Row


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the connection does, after `delay_s` seconds. `code` and `reason` are those of a close."""

    action: Action = "send"
    text: str = ""
    delay_s: float = 0
    code: int = NORMAL_CLOSURE
    reason: str = ""
    last: bool = False  # send it after the next one


def kinds_for(message: Message, kinds: list[str]) -> list[str]:
    """The kinds of faults that can happen to it: rules of others do not count it."""
    found = [kind for kind in kinds if kind != "refuse"]
    if message.kind not in PUSHES:
        found = [kind for kind in found if kind != ONLY_PUSHES]
    if message.kind != "first":
        found = [kind for kind in found if kind != ONLY_FIRST]
    return [kind for kind in found if message.kind != "ping" or kind not in NOT_FOR_PINGS]


def outgoing(message: Message, rules: list[FaultRule]) -> list[Outgoing]:
    """What is sent in its place, in order."""
    body = message.body
    for rule in rules:
        body = BODY_FAULTS[rule.kind](rule, body) if rule.kind in BODY_FAULTS else body
    sent = [Outgoing("ping") if message.kind == "ping" else Outgoing(text=as_text(body))]
    for rule in rules:
        sent = apply(rule, sent)
    return sent


def apply(rule: FaultRule, sent: list[Outgoing]) -> list[Outgoing]:
    detail = rule.detail
    if rule.kind in ("drop", "mute"):
        return []
    if rule.kind in ("delay", "late_snapshot"):
        return [replace(each, delay_s=each.delay_s + float(detail.get("ms", 500)) / 1000) for each in sent]
    if rule.kind == "duplicate":
        return [each for each in sent for _ in range(2)]
    if rule.kind == "reorder":
        return [replace(each, last=True) for each in sent]
    if rule.kind == "unknown_channel":
        unknown = {"id": -1, "method": "subscribe", "code": 0, "result": UNKNOWN_RESULT}
        return [Outgoing(text=as_text(unknown)), *sent]
    if rule.kind == "garbage":
        return [replace(each, text="\x00 not json {{{") for each in sent]
    if rule.kind == "truncate":
        keep = float(detail.get("keep", 0.5))
        return [replace(each, text=each.text[: int(len(each.text) * keep)]) for each in sent]
    if rule.kind == "close":
        code = int(detail.get("code", NORMAL_CLOSURE))
        return [Outgoing("close", code=code, reason=str(detail.get("reason", "")))]
    if rule.kind == "reset":
        return [Outgoing("reset")]
    return [Outgoing("dead")] if rule.kind == "dead" else sent


def as_text(body: Row) -> str:
    return to_json(body).decode()


def unknown_fields(rule: FaultRule, body: Row) -> Row:
    changed: Row = map_objects(body, lambda row: row | {"zz_new_field": {"nested": [1, None]}})
    return changed


def numbers(rule: FaultRule, body: Row) -> Row:
    def change(key: str, value: object) -> object:
        is_amount = key in AMOUNT_FIELDS or key.startswith("total_")
        return as_number(value) if is_amount else value

    changed: Row = map_values(body, change)
    return changed


def lie(rule: FaultRule, body: Row) -> Row:
    return body | {"result": false_rows(rule, body["result"])} if "result" in body else body


BODY_FAULTS: dict[str, Callable[[FaultRule, Row], Row]] = {
    "unknown_fields": unknown_fields,
    "numbers": numbers,
    "lie": lie,
}
