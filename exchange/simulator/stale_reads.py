"""Stale reads: what balance and orders looked like some seconds ago (dossier 5.6, Lag)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchange.simulator import parameters, serializers
from exchange.simulator.config import Refusal
from exchange.simulator.models import NAME_SPACES, NS_PER_MS, NameSpace, Row
from exchange.simulator.parameters import Call
from exchange.simulator.protocol import METHODS, ApiResponse, Request, error_response

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

HISTORY_SIZE = 500


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What could be read at one moment."""

    at_ms: int
    balance: Row
    open_rows: dict[NameSpace, dict[str, Row]]


class SnapshotHistory:
    """The recent snapshots, taken only while a stale rule is in force."""

    def __init__(self) -> None:
        self._snapshots: list[Snapshot] = []

    def record(self, exchange: Exchange) -> None:
        if not exchange.faults.has_stale_rules:
            self._snapshots = []
            return
        self._snapshots.append(
            Snapshot(
                exchange.at_ms,
                serializers.balance_row(exchange),
                {name: open_rows(exchange, name) for name in NAME_SPACES},
            )
        )
        del self._snapshots[:-HISTORY_SIZE]

    def as_of(self, ms: int) -> Snapshot:
        """The newest snapshot at or before this moment, or the oldest."""
        at = bisect_right(self._snapshots, ms, key=lambda snapshot: snapshot.at_ms)
        return self._snapshots[max(at - 1, 0)]


def open_rows(exchange: Exchange, name_space: NameSpace) -> dict[str, Row]:
    found = exchange.stores[name_space].open.items()
    return {
        key: serializers.order_row(exchange, order, name_space)
        for key, order in found
        if serializers.is_readable(exchange, order)
    }


def stale_response(
    exchange: Exchange, request: Request, response: ApiResponse, snapshot: Snapshot, ms: int
) -> ApiResponse:
    """The answer as it was at the snapshot; methods without snapshots answer as they do now.

    Histories need no snapshot: they are cut at `ms` exactly.
    """
    name_space: NameSpace = "advanced" if "/advanced/" in request.method else "plain"
    name = request.method.rsplit("/", 1)[1]
    if response.body.get("code") not in (0, 40401):
        return response
    if name == "user-balance":
        return with_data(response, [snapshot.balance])
    if name == "get-open-orders":
        return with_data(
            response, filter_by_instrument(request, list(snapshot.open_rows[name_space].values()))
        )
    if name == "get-order-detail":
        return stale_detail(exchange, request, response, snapshot.open_rows[name_space])
    if name == "get-order-list-detail":
        known, legs = snapshot.open_rows[name_space], response.body["result"]["data"]
        return with_data(
            response, [known.get(leg["order_id"], leg) for leg in legs if existed_at(leg, snapshot)]
        )
    if name in ("get-order-history", "get-trades"):
        return with_data(
            response, [row for row in page_as_of(exchange, request, ms) if row_time_ms(row) <= ms]
        )
    return response


def page_as_of(exchange: Exchange, request: Request, ms: int) -> list[Row]:
    """The page as it was at `ms`: later rows do not push older ones out of it."""
    params = dict((request.body or {}).get("params", {}))
    start, end = (parameters.time_param_ns(params, name) for name in ("start_time", "end_time"))
    until_ns = (ms + 1) * NS_PER_MS
    if start is not None and start >= until_ns:
        return []
    call = Call(method=request.method, params=params | {"end_time": str(min(end or until_ns, until_ns))})
    data: list[Row] = METHODS[request.method](exchange, call)["data"]
    return data


def stale_detail(
    exchange: Exchange, request: Request, response: ApiResponse, known: dict[str, Row]
) -> ApiResponse:
    params = (request.body or {}).get("params", {})
    for row in known.values():
        if params.get("order_id") == row["order_id"] or params.get("client_oid") == row["client_oid"]:
            response.body["result"] = row
            return response
    current = response.body.get("result") or {}
    too_fresh = current.get("status") in ("PENDING", "NEW", "ACTIVE")
    return error_response(exchange, request, Refusal(40401)) if too_fresh else response


def existed_at(row: Row, snapshot: Snapshot) -> bool:
    return int(row["create_time"]) <= snapshot.at_ms


def filter_by_instrument(request: Request, found: list[Row]) -> list[Row]:
    symbol = (request.body or {}).get("params", {}).get("instrument_name")
    return [row for row in found if symbol in (None, row["instrument_name"])]


def row_time_ms(row: Row) -> int:
    return int(row["update_time"] if "update_time" in row else row["create_time"])


def with_data(response: ApiResponse, data: list[Row]) -> ApiResponse:
    response.body["result"] = {"data": data}
    return response
