"""Time windows and pages of the history methods (dossier 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, TypeVar

from exchange.simulator import calls
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.records import NS, NameSpace, Order, Trade

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

DAY_NS = 86_400_000 * NS
RETENTION_DAYS = 183
WEEK_NS = 7 * DAY_NS
PAGE = 100
Window = tuple[int, int]
T = TypeVar("T")


def page_size(x: Exchange, params: dict[str, Any], name: str = "limit", most: int = PAGE) -> int:
    """A JSON number up to `most`; a string is 40003 (dossier D1)."""
    value = params.get(name, most)
    if isinstance(value, str) and x.quirks.limit_type == "any" and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(40003)
    if value <= 0:
        raise Refusal(40004, f"Invalid {name}")
    return min(value, most)


def to_ns(params: dict[str, Any], name: str) -> int | None:
    """Milliseconds or nanoseconds, told apart by size; text or number."""
    value = calls.text(params, name)
    if value is None:
        return None
    if not value.isdigit():
        raise Refusal(40005)
    return int(value) * (NS if int(value) < 10**15 else 1)


def window(x: Exchange, params: dict[str, Any], widest: str, days: int = RETENTION_DAYS) -> Window:
    """(start inclusive, end exclusive) in ns; one day up to now by default; too wide as the quirk says."""
    end = to_ns(params, "end_time")
    end = (x.at_ms + 1) * NS if end is None else end
    start = to_ns(params, "start_time")
    start = end - DAY_NS if start is None else start
    if start > end:
        start, end = end, start
    if end - start > WEEK_NS and widest != "any":
        if widest == "refused":
            raise Refusal(40005)
        start = end - WEEK_NS
    return max(start, x.at_ms * NS - days * DAY_NS), end


def finished_orders(x: Exchange, name_space: NameSpace, call: Call) -> list[Order]:
    """Terminal orders of the window, newest first."""
    size = page_size(x, call.params)
    days = RETENTION_DAYS if name_space == "plain" else x.quirks.advanced_history_days
    start, end = window(x, call.params, x.quirks.history_widest, days)
    on_create = x.quirks.history_window == "create"
    orders = x.stores[name_space].ended_between(start, end, on_create=on_create)
    wanted = (each for each in orders if each.hidden_until_ms <= x.at_ms and _of(each, call))
    return page(wanted, size, x, lambda order: order.create_time_ns if on_create else order.update_time_ns)


def executions(x: Exchange, call: Call) -> list[Trade]:
    """Trades of the window, newest first."""
    size = page_size(x, call.params)
    start, end = window(x, call.params, x.quirks.trades_widest)
    wanted = (each for each in x.trades.between(start, end) if _of(each, call))
    return page(wanted, size, x, lambda trade: trade.create_time_ns)


def page(items: Iterable[T], size: int, x: Exchange, time: Callable[[T], int]) -> list[T]:
    """The first of them; inside one timestamp in the order the quirk says."""
    if x.quirks.tie_order == "oldest_first":
        items = (each for _, tied in groupby(items, key=time) for each in reversed(list(tied)))
    return list(islice(items, size))


def _of(item: Order | Trade, call: Call) -> bool:
    return call.params.get("instrument_name") in (None, item.instrument_name)
