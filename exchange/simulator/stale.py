"""Old answers on demand: what balance and orders looked like some seconds ago (dossier 5.6, Lag)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchange.simulator import balances, history, rows
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.protocol import METHODS, Answer, Request, refused
from exchange.simulator.records import NAME_SPACES, NS, NameSpace, Row

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

KEPT = 500


@dataclass(frozen=True, slots=True)
class Note:
    """What could be read at one moment."""

    at_ms: int
    balance: Row
    open_rows: dict[NameSpace, dict[str, Row]]


class Memory:
    """Notes of the recent past, taken only while a stale rule is in force."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def take(self, x: Exchange) -> None:
        if not x.faults.stale_rules:
            self.notes = []
            return
        self.notes.append(
            Note(x.at_ms, balances.balance_row(x), {name: open_rows(x, name) for name in NAME_SPACES})
        )
        del self.notes[:-KEPT]

    def as_of(self, ms: int) -> Note:
        """The newest note at or before this moment, or the oldest there is."""
        at = bisect_right(self.notes, ms, key=lambda note: note.at_ms)
        return self.notes[max(at - 1, 0)]


def open_rows(x: Exchange, name_space: NameSpace) -> dict[str, Row]:
    found = x.stores[name_space].open.items()
    return {key: rows.order_row(x, order, name_space) for key, order in found if rows.readable(x, order)}


def aged(x: Exchange, request: Request, answer: Answer, note: Note, ms: int) -> Answer:
    """The answer as it would have been at the note; methods without memory answer as they do now.

    Histories tell their own past, to the millisecond that is asked for.
    """
    name_space: NameSpace = "advanced" if "/advanced/" in request.method else "plain"
    name = request.method.rsplit("/", 1)[1]
    if answer.body.get("code") not in (0, 40401):
        return answer
    if name == "user-balance":
        return with_data(answer, [note.balance])
    if name == "get-open-orders":
        return with_data(answer, wanted(request, list(note.open_rows[name_space].values())))
    if name == "get-order-detail":
        return aged_detail(x, request, answer, note.open_rows[name_space])
    if name == "get-order-list-detail":
        known, legs = note.open_rows[name_space], answer.body["result"]["data"]
        return with_data(answer, [known.get(leg["order_id"], leg) for leg in legs if born(leg, note)])
    if name in ("get-order-history", "get-trades"):
        return with_data(answer, [row for row in page_until(x, request, ms) if time_of(row) <= ms])
    return answer


def page_until(x: Exchange, request: Request, ms: int) -> list[Row]:
    """The page as it was then: what has come since pushed nothing out of it."""
    params = dict((request.body or {}).get("params", {}))
    start, end = (history.to_ns(params, name) for name in ("start_time", "end_time"))
    then = (ms + 1) * NS
    if start is not None and start >= then:
        return []
    call = Call(method=request.method, params=params | {"end_time": str(min(end or then, then))})
    data: list[Row] = METHODS[request.method](x, call)["data"]
    return data


def aged_detail(x: Exchange, request: Request, answer: Answer, known: dict[str, Row]) -> Answer:
    params = (request.body or {}).get("params", {})
    for row in known.values():
        if params.get("order_id") == row["order_id"] or params.get("client_oid") == row["client_oid"]:
            answer.body["result"] = row
            return answer
    current = answer.body.get("result") or {}
    unborn = current.get("status") in ("PENDING", "NEW", "ACTIVE")
    return refused(x, request, Refusal(40401)) if unborn else answer


def born(row: Row, note: Note) -> bool:
    return int(row["create_time"]) <= note.at_ms


def wanted(request: Request, found: list[Row]) -> list[Row]:
    symbol = (request.body or {}).get("params", {}).get("instrument_name")
    return [row for row in found if symbol in (None, row["instrument_name"])]


def time_of(row: Row) -> int:
    return int(row["update_time"] if "update_time" in row else row["create_time"])


def with_data(answer: Answer, data: list[Row]) -> Answer:
    answer.body["result"] = {"data": data}
    return answer
