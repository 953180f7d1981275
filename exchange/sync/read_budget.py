"""How long a cycle waits for what protection can do without: looking up orders, histories, the catalogue.

What was not read proves nothing, makes the cycle incomplete, and is read by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from exchange.client.errors import NotTried, Unreachable
from exchange.schemas import METHOD_PREFIXES, Instrument, NameSpace, Order

if TYPE_CHECKING:
    from exchange.client.client import Client

T = TypeVar("T")

# Seconds in all: of the look-ups before anything is stored, of those while protection acts, of each round that reads
# back what it sent, and of all that comes after protection.
FETCH_WAIT_S = 7.0
PROTECT_WAIT_S = 3.0
READ_BACK_WAIT_S = 5.0
REST_WAIT_S = 10.0
MAX_READ_S = 4.0  # of one read: a method that is silent leaves time for the others
MIN_READ_S = 2.0  # no read begins with less


class ReadBudget:
    """The time that is left in one cycle, and the methods that did not answer in time: none is asked twice."""

    def __init__(self, client: Client, seconds: float = 0.0) -> None:
        self._client = client
        self._left_s = seconds
        self._silent: set[str] = set()

    def grant(self, seconds: float) -> None:
        """The cycle has come to its next part."""
        self._left_s += seconds

    def read(self, method: str, read: Callable[[], T], *, max_s: float = MAX_READ_S) -> T:
        """What `read` brings, within `max_s` and what is left. Raises its ExchangeError, or NotTried."""
        if method in self._silent or self._left_s < MIN_READ_S:
            raise NotTried(method=method, message="the exchange is too slow or does not answer")
        started_ms, allowed_s = self._client.now_ms(), min(max_s, self._left_s)
        try:
            with self._client.answer_within(allowed_s):
                return read()
        except Unreachable:
            if self._seconds_since(started_ms) >= allowed_s:
                self._silent.add(method)
            raise
        finally:
            self._left_s -= self._seconds_since(started_ms)

    def order_detail(
        self, name_space: NameSpace, *, order_id: str | None = None, client_oid: str | None = None
    ) -> Order | None:
        """As the client's method."""
        read = partial(self._client.order_detail, name_space, order_id=order_id, client_oid=client_oid)
        return self.read(f"{METHOD_PREFIXES[name_space]}/get-order-detail", read)

    def order_list_detail(self, list_ids: Sequence[str]) -> list[Order]:
        """As the client's method."""
        read = partial(self._client.order_list_detail, list_ids)
        return self.read("private/advanced/get-order-list-detail", read)

    def instruments(self, *, max_s: float = MAX_READ_S) -> list[Instrument]:
        """As the client's method."""
        return self.read("public/get-instruments", self._client.instruments, max_s=max_s)

    def _seconds_since(self, ms: int) -> float:
        """Never negative, should the clock be set back."""
        return max(self._client.now_ms() - ms, 0) / 1000
