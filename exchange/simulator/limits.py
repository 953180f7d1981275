"""Rate limits per method (dossier 4), switched off unless asked for. Pure: time comes in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

ORDERS = ("private/create-order", "private/cancel-order", "private/cancel-all-orders")
SLOW = ("private/get-trades", "private/get-order-history")


def limit_of(method: str) -> tuple[int, int]:
    """(calls, per how many ms) of one method."""
    if method.startswith("public/"):
        return 100, 1000
    if method in ORDERS:
        return 15, 100
    if method == "private/get-order-detail":
        return 30, 100
    return (1, 1000) if method in SLOW else (3, 100)


@dataclass(slots=True)
class RateLimits:
    """Remembers when each method was last called."""

    enabled: bool = False
    calls: dict[str, deque[int]] = field(default_factory=dict)

    def allow(self, method: str, ms: int, *, window: str, count_refused: bool) -> bool:
        """Whether the call fits; the window slides, or starts anew at every multiple of its length."""
        if not self.enabled:
            return True
        most, length = limit_of(method)
        past = self.calls.setdefault(method, deque())
        oldest = ms // length * length if window == "fixed" else ms - length + 1
        while past and past[0] < oldest:
            past.popleft()
        fits = len(past) < most
        if fits or count_refused:
            past.append(ms)
        return fits
