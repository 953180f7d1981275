"""One name space's orders, found by id, by client id, by instrument, and by time once finished."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from exchange.simulator.records import NameSpace, Order

Moment = tuple[int, int, str]


class OrderStore:
    """A triggered advanced order may also be shelved in the plain store under its exchange id (quirk)."""

    def __init__(self, name_space: NameSpace) -> None:
        self.name_space = name_space
        self.by_id: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.by_client_oid: dict[str, list[Order]] = {}
        self.by_update: list[Moment] = []
        self.by_create: list[Moment] = []

    def key(self, order: Order) -> str:
        return order.order_id if order.name_space == self.name_space else order.exchange_order_id

    def add(self, order: Order) -> None:
        self.by_id[self.key(order)] = order
        self.by_client_oid.setdefault(order.client_oid, []).append(order)
        if order.is_open:
            self.open[self.key(order)] = order
        else:
            self.shelve(order)

    def shelve(self, order: Order) -> None:
        """The order has ended: out of the open ones, into the history."""
        key = self.key(order)
        self.open.pop(key, None)
        sequence = len(self.by_update)
        insort(self.by_update, (order.update_time_ns, sequence, key))
        insort(self.by_create, (order.create_time_ns, sequence, key))

    def rename(self, order: Order, client_oid: str) -> None:
        self.by_client_oid[order.client_oid].remove(order)
        order.client_oid = client_oid
        self.by_client_oid.setdefault(client_oid, []).append(order)

    def find(self, order_id: str | None, client_oid: str | None) -> Order | None:
        """By order id when given, else the newest order with this client id."""
        if order_id is not None:
            return self.by_id.get(order_id)
        return next(reversed(self.by_client_oid.get(client_oid or "", [])), None)

    def ended_between(self, start_ns: int, end_ns: int, *, on_create: bool) -> Iterator[Order]:
        """Finished orders with start <= time < end, newest first."""
        shelf = self.by_create if on_create else self.by_update
        at = bisect_left(shelf, (end_ns, -1, ""))
        while at > 0 and shelf[at - 1][0] >= start_ns:
            at -= 1
            yield self.by_id[shelf[at][2]]
