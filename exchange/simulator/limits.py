"""Rate limits per method (dossier 4), switched off unless asked for. Pure: time comes in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from exchange.simulator.quirks import Quirks

ORDERS = ("private/create-order", "private/cancel-order", "private/cancel-all-orders")
SLOW = ("private/get-trades", "private/get-order-history")


OTHERS = {"3_per_100ms": (3, 100), "10_per_s": (10, 1000)}


def limit_of(method: str, private: str = "3_per_100ms") -> tuple[int, int]:
    """(calls, per how many ms) of one method; `private` is that of private methods without one (D14)."""
    if method.startswith("public/"):
        return 100, 1000
    if method in ORDERS:
        return 15, 100
    if method == "private/get-order-detail":
        return 30, 100
    return (1, 1000) if method in SLOW else OTHERS[private]


@dataclass(slots=True)
class RateLimits:
    """Remembers when each method was last called."""

    enabled: bool = False
    calls: dict[str, deque[int]] = field(default_factory=dict)
    closed_until: dict[str, int] = field(default_factory=dict)

    def allow(self, method: str, ms: int, quirks: Quirks) -> bool:
        """Whether the call fits; the window slides, or starts anew at every multiple of its length."""
        if not self.enabled:
            return True
        fits = self._fits(method, ms, quirks) and ms >= self.closed_until.get(method, 0)
        if fits or quirks.rate_refused_calls == "counted":
            self.calls[method].append(ms)
        if not fits:
            self.closed_until[method] = ms + quirks.rate_penalty_ms
        return fits

    def _fits(self, method: str, ms: int, quirks: Quirks) -> bool:
        most, length = limit_of(method, quirks.rate_private)
        past = self.calls.setdefault(method, deque())
        oldest = ms // length * length if quirks.rate_window == "fixed" else ms - length + 1
        while past and past[0] < oldest:
            past.popleft()
        return len(past) < most
