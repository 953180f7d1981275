"""One call as the methods see it: typed parameters with their error codes, time windows and pages (dossier 1.2, 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, TypeVar

from exchange.simulator.config import Refusal
from exchange.simulator.instruments import parse_decimal
from exchange.simulator.models import NS_PER_MS, NameSpace, Order, Trade
from exchange.simulator.price_model import DAY_MS

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

MAX_CLIENT_OID = 36
MAX_MS, MAX_US = 10**14, 10**17  # a larger time is in microseconds, and beyond that in nanoseconds
US_PER_MS = 1000
DAY_NS = DAY_MS * NS_PER_MS
WEEK_NS = 7 * DAY_NS
RETENTION_DAYS = 183
MAX_PAGE_SIZE = 100
TimeWindow = tuple[int, int]
T = TypeVar("T")
Method = Callable[["Exchange", "Call"], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`default_client_oid` is used for an order without client_oid: the request id, or the nonce (option)."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    default_client_oid: str = "0"


# Parameters


def text_param(params: dict[str, Any], name: str) -> str | None:
    """The value as text; numbers are accepted for ids. Missing and null are None."""
    value = params.get(name)
    return None if value is None else str(value)


def required_text(params: dict[str, Any], name: str) -> str:
    value = text_param(params, name)
    if not value:
        raise Refusal(40004, f"Missing {name}")
    return value


def choice_param(
    params: dict[str, Any], name: str, allowed: tuple[str, ...], code: int, default: str = ""
) -> str:
    """An enum value, or `default` when missing; without default a missing one is 40004."""
    value = text_param(params, name) or default
    if not value:
        raise Refusal(40004, f"Missing {name}")
    if value not in allowed:
        raise Refusal(code)
    return value


def names(params: dict[str, Any], name: str, allowed: tuple[str, ...], code: int) -> list[str]:
    value = params.get(name) or []
    if not isinstance(value, list):
        raise Refusal(40004, f"Invalid {name}")
    if any(each not in allowed for each in value):
        raise Refusal(code)
    return [str(each) for each in value]


def client_oid(params: dict[str, Any], name: str = "client_oid") -> str | None:
    value = text_param(params, name)
    if value is not None and len(value) > MAX_CLIENT_OID:
        raise Refusal(40004, f"Invalid {name}")
    return value or None


def quantity(params: dict[str, Any], name: str = "quantity") -> Decimal | None:
    return positive_decimal(params, name, wrong_type=40101, wrong_value=213)


def price(params: dict[str, Any], name: str = "price", *, code: int = 308) -> Decimal | None:
    return positive_decimal(params, name, wrong_type=308, wrong_value=code)


def ref_price(params: dict[str, Any], name: str = "ref_price") -> Decimal | None:
    return positive_decimal(params, name, wrong_type=229, wrong_value=229)


def notional(params: dict[str, Any]) -> Decimal | None:
    return positive_decimal(params, "notional", wrong_type=50001, wrong_value=213)


def positive_decimal(
    params: dict[str, Any], name: str, *, wrong_type: int, wrong_value: int
) -> Decimal | None:
    """A positive number sent as a string. A JSON number is refused with `wrong_type`."""
    value = params.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refusal(wrong_type)
    number = parse_decimal(value)
    if number is None or number <= 0:
        raise Refusal(wrong_value)
    return number


# Time windows and pages of the history methods (dossier 7)


def time_param_ns(params: dict[str, Any], name: str, *, code: int = 40005) -> int | None:
    """A time as text or number, in milliseconds, microseconds (ccxt) or nanoseconds, told apart by its size."""
    value = text_param(params, name)
    if value is None:
        return None
    if not value.isdigit():
        raise Refusal(code)
    at = int(value)
    return at * (NS_PER_MS if at < MAX_MS else NS_PER_MS // US_PER_MS if at < MAX_US else 1)


def time_window(
    exchange: Exchange, params: dict[str, Any], too_wide: str, days: int = RETENTION_DAYS
) -> TimeWindow:
    """(start inclusive, end exclusive) in ns, by default the last day; `too_wide`: the option for over a week."""
    end = time_param_ns(params, "end_time")
    end = (exchange.at_ms + 1) * NS_PER_MS if end is None else end
    start = time_param_ns(params, "start_time")
    start = end - DAY_NS if start is None else start
    if start > end:
        start, end = end, start
    if end - start > WEEK_NS and too_wide != "any":
        if too_wide == "refused":
            raise Refusal(40005)
        start = end - WEEK_NS
    return max(start, exchange.at_ms * NS_PER_MS - days * DAY_NS), end


def page_size(
    exchange: Exchange, params: dict[str, Any], name: str = "limit", maximum: int = MAX_PAGE_SIZE
) -> int:
    """A JSON number, cut to `maximum`; a string is 40003 (dossier D1)."""
    value = params.get(name, maximum)
    if isinstance(value, str) and exchange.behaviour.limit_type == "any" and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(40003)
    if value <= 0:
        raise Refusal(40004, f"Invalid {name}")
    return min(value, maximum)


def finished_orders(exchange: Exchange, name_space: NameSpace, call: Call) -> list[Order]:
    """Terminal orders of the window, newest first."""
    size = page_size(exchange, call.params)
    days = RETENTION_DAYS if name_space == "plain" else exchange.behaviour.advanced_history_days
    start, end = time_window(exchange, call.params, exchange.behaviour.history_widest, days)
    by_create_time = exchange.behaviour.history_window == "create"
    orders = exchange.stores[name_space].ended_between(start, end, by_create_time=by_create_time)
    requested = (
        each for each in orders if each.hidden_until_ms <= exchange.at_ms and _matches_instrument(each, call)
    )
    return paginate(
        requested,
        size,
        exchange,
        lambda order: order.create_time_ns if by_create_time else order.update_time_ns,
    )


def executions(exchange: Exchange, call: Call) -> list[Trade]:
    """Trades of the window, newest first."""
    size = page_size(exchange, call.params)
    start, end = time_window(exchange, call.params, exchange.behaviour.trades_widest)
    requested = (each for each in exchange.trades.between(start, end) if _matches_instrument(each, call))
    return paginate(requested, size, exchange, lambda trade: trade.create_time_ns)


def paginate(items: Iterable[T], size: int, exchange: Exchange, time: Callable[[T], int]) -> list[T]:
    """The first `size` items; those of one timestamp in the order of the option `tie_order`."""
    if exchange.behaviour.tie_order == "oldest_first":
        items = (each for _, tied in groupby(items, key=time) for each in reversed(list(tied)))
    return list(islice(items, size))


def _matches_instrument(item: Order | Trade, call: Call) -> bool:
    return call.params.get("instrument_name") in (None, item.instrument_name)
