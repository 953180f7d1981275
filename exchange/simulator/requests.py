"""Who may call: key, address, signature and nonce of a private request (dossier 1, 2.2).

The exchange's side of signing (dossier 2), written apart from the client's so that each can catch the other.

Rate limits per method (dossier 4), switched off unless asked for. Pure: time comes in.

One request as the methods see it, and typed readers of its parameters with the codes of dossier 1.2 and 5.11.

Time windows and pages of the history methods (dossier 7).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, TypeVar

from exchange.simulator.config import BehaviourOptions, Refusal
from exchange.simulator.instruments import parse_decimal
from exchange.simulator.models import NS_PER_MS, NameSpace, Order, Trade

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


def param_text(value: Any, *, brackets: bool = False, inner: bool = False) -> str:
    """Objects by sorted key, arrays in order, null as `null`. `brackets`: the Java form of nested scalar arrays."""
    if isinstance(value, dict):
        return "".join(key + param_text(value[key], brackets=brackets, inner=inner) for key in sorted(value))
    if isinstance(value, list):
        return _array_text(value, brackets=brackets, inner=inner)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _array_text(values: list[Any], *, brackets: bool, inner: bool) -> str:
    if brackets and inner and not any(isinstance(each, dict) for each in values):
        return "[" + ", ".join(param_text(each) for each in values) + "]"
    return "".join(param_text(each, brackets=brackets, inner=True) for each in values)


def signature(body: dict[str, Any], secret: str, *, brackets: bool = False) -> str:
    """The sig that this request body must carry, in lower-case hex."""
    head = f"{body.get('method', '')}{body.get('id', '')}{body.get('api_key', '')}"
    text_param = head + param_text(body.get("params", {}), brackets=brackets) + str(body.get("nonce", ""))
    return hmac.new(secret.encode(), text_param.encode(), hashlib.sha256).hexdigest()


def is_signed(body: dict[str, Any], secret: str, *, brackets: bool = False) -> bool:
    """Compared without regard to case, as the official verifier does."""
    expected = signature(body, secret, brackets=brackets)
    return hmac.compare_digest(expected.encode(), str(body.get("sig", "")).lower().encode())


NONCE_WINDOW_MS = 60_000
DIGITS = re.compile(r"-?\d+")


def check_envelope(exchange: Exchange, body: dict[str, Any], method: str) -> None:
    """The fields of dossier 1: method repeated, id a 64-bit number, params an object."""
    if body.get("method") != method:
        raise Refusal(40001, "method")
    identity = body.get("id")
    if isinstance(identity, str) and exchange.behaviour.id_type == "number":
        raise Refusal(40001, "id")
    if identity is not None and not DIGITS.fullmatch(str(identity)):
        raise Refusal(40001, "id")
    if identity is not None and not 0 <= int(identity) < 2**63:
        raise Refusal(40001, "id")
    if "params" not in body:
        raise Refusal(10004)
    if not isinstance(body["params"], dict):
        raise Refusal(40001, "params")


def check_access(exchange: Exchange, body: dict[str, Any]) -> None:
    """40103 for the address, 40101 for key, signature or a nonce that is no integer, 40102 for its time."""
    if not exchange.ip_allowed:
        raise Refusal(40103)
    secret = exchange.keys.get(str(body.get("api_key")))
    if secret is None or not is_signed(body, secret, brackets=exchange.behaviour.nested_exec_inst == "brackets"):
        raise Refusal(40101)
    check_nonce(exchange, body.get("nonce"))


def check_nonce(exchange: Exchange, nonce: Any) -> None:
    if isinstance(nonce, bool) or not DIGITS.fullmatch(str(nonce)):
        raise Refusal(40101, "nonce")
    value = int(nonce)
    if abs(value - exchange.at_ms) > NONCE_WINDOW_MS:
        raise Refusal(40102)
    repeated = (
        value in exchange.nonces
        if exchange.behaviour.nonce_rule == "unique"
        else value <= max(exchange.nonces, default=0)
    )
    if exchange.behaviour.nonce_rule != "free" and repeated:
        raise Refusal(40006)
    exchange.nonces.append(value)


def check_rate(exchange: Exchange, method: str) -> None:
    if not exchange.limits.allow(method, exchange.at_ms, exchange.behaviour):
        raise Refusal(42901)


ORDER_METHODS = ("private/create-order", "private/cancel-order", "private/cancel-all-orders")
HISTORY_METHODS = ("private/get-trades", "private/get-order-history")


PRIVATE_LIMITS = {"3_per_100ms": (3, 100), "10_per_s": (10, 1000)}


def rate_limit_of(method: str, private: str = "3_per_100ms") -> tuple[int, int]:
    """(calls, per how many ms) of one method; `private` is that of private methods without one (D14)."""
    if method.startswith("public/"):
        return 100, 1000
    if method in ORDER_METHODS:
        return 15, 100
    if method == "private/get-order-detail":
        return 30, 100
    return (1, 1000) if method in HISTORY_METHODS else PRIVATE_LIMITS[private]


@dataclass(slots=True)
class RateLimits:
    """Remembers when each method was last called."""

    enabled: bool = False
    calls: dict[str, deque[int]] = field(default_factory=dict)
    closed_until: dict[str, int] = field(default_factory=dict)

    def allow(self, method: str, ms: int, behaviour: BehaviourOptions) -> bool:
        """Whether the call fits; the window slides, or starts anew at every multiple of its length."""
        if not self.enabled:
            return True
        fits = self._fits(method, ms, behaviour) and ms >= self.closed_until.get(method, 0)
        if fits or behaviour.rate_refused_calls == "counted":
            self.calls[method].append(ms)
        if not fits:
            self.closed_until[method] = ms + behaviour.rate_penalty_ms
        return fits

    def _fits(self, method: str, ms: int, behaviour: BehaviourOptions) -> bool:
        maximum, length = rate_limit_of(method, behaviour.rate_private)
        past = self.calls.setdefault(method, deque())
        oldest = ms // length * length if behaviour.rate_window == "fixed" else ms - length + 1
        while past and past[0] < oldest:
            past.popleft()
        return len(past) < maximum


MAX_CLIENT_OID = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`reference` is what an order without client_oid gets for one: the request id, or the nonce (quirk)."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    default_client_oid: str = "0"


def text_param(params: dict[str, Any], name: str) -> str | None:
    """The value as text; numbers are accepted for ids. Missing and null are None."""
    value = params.get(name)
    return None if value is None else str(value)


def required_text(params: dict[str, Any], name: str) -> str:
    value = text_param(params, name)
    if not value:
        raise Refusal(40004, f"Missing {name}")
    return value


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


def quantity(params: dict[str, Any], name: str = "quantity") -> Decimal | None:
    return positive_decimal(params, name, wrong_type=40101, wrong_value=213)


def price(params: dict[str, Any], name: str = "price", *, code: int = 308) -> Decimal | None:
    return positive_decimal(params, name, wrong_type=308, wrong_value=code)


def notional(params: dict[str, Any]) -> Decimal | None:
    return positive_decimal(params, "notional", wrong_type=50001, wrong_value=213)


def ref_price(params: dict[str, Any], name: str = "ref_price") -> Decimal | None:
    return positive_decimal(params, name, wrong_type=229, wrong_value=229)


def client_oid(params: dict[str, Any], name: str = "client_oid") -> str | None:
    value = text_param(params, name)
    if value is not None and len(value) > MAX_CLIENT_OID:
        raise Refusal(40004, f"Invalid {name}")
    return value or None


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
    """An array of enum values."""
    value = params.get(name) or []
    if not isinstance(value, list):
        raise Refusal(40004, f"Invalid {name}")
    if any(each not in allowed for each in value):
        raise Refusal(code)
    return [str(each) for each in value]


DAY_NS = 86_400_000 * NS_PER_MS
RETENTION_DAYS = 183
WEEK_NS = 7 * DAY_NS
MAX_PAGE_SIZE = 100
TimeWindow = tuple[int, int]
T = TypeVar("T")


def page_size(
    exchange: Exchange, params: dict[str, Any], name: str = "limit", maximum: int = MAX_PAGE_SIZE
) -> int:
    """A JSON number up to `most`; a string is 40003 (dossier D1)."""
    value = params.get(name, maximum)
    if isinstance(value, str) and exchange.behaviour.limit_type == "any" and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(40003)
    if value <= 0:
        raise Refusal(40004, f"Invalid {name}")
    return min(value, maximum)


def time_param_ns(params: dict[str, Any], name: str) -> int | None:
    """Milliseconds or nanoseconds, told apart by size; text or number."""
    value = text_param(params, name)
    if value is None:
        return None
    if not value.isdigit():
        raise Refusal(40005)
    return int(value) * (NS_PER_MS if int(value) < 10**15 else 1)


def time_window(
    exchange: Exchange, params: dict[str, Any], too_wide: str, days: int = RETENTION_DAYS
) -> TimeWindow:
    """(start inclusive, end exclusive) in ns; one day up to now by default; too wide as the quirk says."""
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
    """The first of them; inside one timestamp in the order the quirk says."""
    if exchange.behaviour.tie_order == "oldest_first":
        items = (each for _, tied in groupby(items, key=time) for each in reversed(list(tied)))
    return list(islice(items, size))


def _matches_instrument(item: Order | Trade, call: Call) -> bool:
    return call.params.get("instrument_name") in (None, item.instrument_name)
