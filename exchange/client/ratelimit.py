"""Stay inside the exchange's limits: one bucket per method, with a share that only order calls may use (dossier 4).

The limits are those of the key, whichever process calls: only the holder of the lease does, and a new holder counts
every window as full until the last one has been silent for a window (`assume_idle`), those of its own earlier calls
as well. The exchange counts when a call arrives, which is after we send it and before we have its answer. So a window
runs from the answer to the next call, and a margin longer, for the exchange's own jitter.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

BURST_MS = 100
SECOND_MS = 1_000
MARGIN = 20  # a window is taken as this part of it longer: 50 ms of a second


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any `window_ms`."""

    calls: int
    window_ms: int

    @property
    def spacing_ms(self) -> int:
        """The window with its margin."""
        return self.window_ms + self.window_ms // MARGIN

    @property
    def reserved(self) -> int:
        """Calls of each window kept for orders: a third, none where the window is too small to share."""
        return self.calls // 3

    def allowance(self, use_reserved: bool) -> int:
        return self.calls if use_reserved else self.calls - self.reserved


ORDERS = Limit(15, BURST_MS)
ONE_PER_SECOND = Limit(1, SECOND_MS)
LIMITS = {
    "private/create-order": ORDERS,
    "private/cancel-order": ORDERS,
    "private/cancel-all-orders": ORDERS,
    "private/get-order-detail": Limit(30, BURST_MS),
    "private/get-trades": ONE_PER_SECOND,
    "private/get-order-history": ONE_PER_SECOND,
}
OTHER_PRIVATE = Limit(3, BURST_MS)
PUBLIC = Limit(100, SECOND_MS)


def limit_of(method: str) -> Limit:
    return LIMITS.get(method) or (PUBLIC if method.startswith("public/") else OTHER_PRIVATE)


@dataclass(slots=True)
class Bucket:
    """When the last calls of one method were answered, or let through if they were not yet, in milliseconds."""

    limit: Limit
    times: deque[int] = field(init=False)
    paused_until: int = 0

    def __post_init__(self) -> None:
        self.times = deque(maxlen=self.limit.calls)

    def assume_full(self, at: int) -> None:
        """Others called so often that the window was full at this moment; later calls of our own come on top."""
        own = [time for time in self.times if time > at]
        self.times.extend((at,) * self.limit.calls)
        self.times.extend(own)

    def wait_ms(self, now: int, use_reserved: bool) -> int:
        """How long the next call must wait; never longer than a window or the pause, should the clock jump."""
        allowance = self.limit.allowance(use_reserved)
        spacing = self.limit.spacing_ms
        since_then = now - self.times[-allowance] if len(self.times) >= allowance else spacing
        return max(self.paused_until - now, min(spacing - since_then, spacing), 0)


class Limiter:
    """Sleeps until a call is allowed. One per client; `clock_ms` should never run backwards."""

    def __init__(
        self, clock_ms: Callable[[], int], sleep: Callable[[float], None], enabled: bool = True
    ) -> None:
        self._clock_ms = clock_ms
        self._sleep = sleep
        self.enabled = enabled
        self._buckets: dict[str, Bucket] = {}
        self._idle_since: int | None = None

    def assume_idle(self, ms: int) -> None:
        """Another process called with the same key until `ms` ago, with whatever methods."""
        self._idle_since = self._clock_ms() - ms
        for bucket in self._buckets.values():
            bucket.assume_full(self._idle_since)

    def acquire(self, method: str, use_reserved: bool) -> None:
        """Wait for a place in the method's window; without `use_reserved` the reserved share stays untouched."""
        if not self.enabled:
            return
        bucket, now = self._bucket(method), self._clock_ms()
        wait = bucket.wait_ms(now, use_reserved)
        if wait:
            self._sleep(wait / 1000)
        bucket.times.append(now + wait)

    def answered(self, method: str) -> None:
        """The call that `acquire` let through last is over: the exchange has counted it by now."""
        bucket = self._bucket(method)
        if bucket.times:
            bucket.times[-1] = max(bucket.times[-1], self._clock_ms())

    def penalise(self, method: str, seconds: float) -> None:
        """After 42901: hold this method back for a while."""
        self._bucket(method).paused_until = self._clock_ms() + int(seconds * 1000)

    def _bucket(self, method: str) -> Bucket:
        bucket = self._buckets.get(method)
        if bucket is None:
            bucket = self._buckets[method] = Bucket(limit_of(method))
            if self._idle_since is not None:
                bucket.assume_full(self._idle_since)
        return bucket
