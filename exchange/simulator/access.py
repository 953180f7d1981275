"""Who may call, and how often: signature, key, address, nonce and rate limits (dossier 1, 2, 4).

The signature is computed apart from the client's own code, so that each can catch an error of the other.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exchange.simulator.config import BehaviourOptions, Refusal

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

NONCE_WINDOW_MS = 60_000
DIGITS = re.compile(r"-?\d+")
ORDER_METHODS = ("private/create-order", "private/cancel-order", "private/cancel-all-orders")
HISTORY_METHODS = ("private/get-trades", "private/get-order-history")
TRADING_VERBS = ("create-", "amend-", "cancel-")
PRIVATE_LIMITS = {"3_per_100ms": (3, 100), "10_per_s": (10, 1000)}


# Private requests


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
    if "params" not in body and exchange.behaviour.missing_params == "refused":
        raise Refusal(10004)
    if not isinstance(body.get("params", {}), dict):
        raise Refusal(40001, "params")


def check_access(exchange: Exchange, body: dict[str, Any]) -> None:
    """40103 for the address, 40101 for key, signature, rights or a nonce that is no integer, 40102 for its time."""
    if not exchange.ip_allowed:
        raise Refusal(40103)
    secret = exchange.keys.get(str(body.get("api_key")))
    if secret is None or not is_signed(
        body, secret, brackets=exchange.behaviour.nested_exec_inst == "brackets"
    ):
        raise Refusal(40101)
    check_nonce(exchange, body.get("nonce"))
    if not exchange.may_trade and is_trading_method(str(body.get("method"))):
        raise Refusal(40101)


def is_trading_method(method: str) -> bool:
    """Whether a key needs the right to trade for it: creating, changing and cancelling orders."""
    return method.rpartition("/")[2].startswith(TRADING_VERBS)


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


# Signature (dossier 2)


def signature(body: dict[str, Any], secret: str, *, brackets: bool = False) -> str:
    """The sig of this request body, in lower-case hex."""
    head = f"{body.get('method', '')}{body.get('id', '')}{body.get('api_key', '')}"
    text = head + param_text(body.get("params", {}), brackets=brackets) + str(body.get("nonce", ""))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_signed(body: dict[str, Any], secret: str, *, brackets: bool = False) -> bool:
    """Case-insensitive, as the official verifier is."""
    expected = signature(body, secret, brackets=brackets)
    return hmac.compare_digest(expected.encode(), str(body.get("sig", "")).lower().encode())


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


# Rate limits (dossier 4)


def check_rate(exchange: Exchange, method: str) -> None:
    if not exchange.limits.allow(method, exchange.at_ms, exchange.behaviour):
        raise Refusal(42901)


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
    """The recent calls of each method, and how many were refused so far. Off by default."""

    enabled: bool = False
    refused: int = 0
    calls: dict[str, deque[int]] = field(default_factory=dict)
    closed_until: dict[str, int] = field(default_factory=dict)

    def allow(self, method: str, ms: int, behaviour: BehaviourOptions) -> bool:
        """Whether the call is within the limit; the window slides, or restarts at every multiple of its length."""
        if not self.enabled:
            return True
        fits = self._fits(method, ms, behaviour) and ms >= self.closed_until.get(method, 0)
        if fits or behaviour.rate_refused_calls == "counted":
            self.calls[method].append(ms)
        if not fits:
            self.refused += 1
            self.closed_until[method] = ms + behaviour.rate_penalty_ms
        return fits

    def _fits(self, method: str, ms: int, behaviour: BehaviourOptions) -> bool:
        maximum, length = rate_limit_of(method, behaviour.rate_private)
        past = self.calls.setdefault(method, deque())
        oldest = ms // length * length if behaviour.rate_window == "fixed" else ms - length + 1
        while past and past[0] < oldest:
            past.popleft()
        return len(past) < maximum
