"""What the key's owner may read: the account, its orders and its trades (dossier 5.6 to 5.31, 7)."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial

from exchange.client.errors import NotFound
from exchange.client.reader import Reader, given
from exchange.types import (
    AccountBalance,
    AccountInfo,
    FeeRate,
    NameSpace,
    Order,
    Position,
    Trade,
)
from exchange.types.fields import Row

FAMILIES = {NameSpace.PLAIN: "private", NameSpace.ADVANCED: "private/advanced"}


class PrivateCalls(Reader):
    """Signed reads, sent as POST. Times are nanoseconds, starts inclusive, ends exclusive."""

    def balance(self) -> AccountBalance:
        """The account's balances; they lag behind fills and cancels (dossier 5.6)."""
        return self._first("private/user-balance", {}, AccountBalance.from_row)

    def accounts(self) -> AccountInfo:
        """Whose key this is (dossier 5.8)."""
        return self._one("private/get-accounts", {}, AccountInfo.from_row)

    def fee_rate(self) -> FeeRate:
        """Fee rates in basis points (dossier 5.9)."""
        return self._one("private/get-fee-rate", {}, FeeRate.from_row)

    def positions(self) -> list[Position]:
        """Derivative positions; spot holdings are not among them (dossier 5.10)."""
        return self._rows("private/get-positions", {}, Position.from_row)

    def open_orders(self, name_space: NameSpace) -> list[Order]:
        """All open orders of one family; there are no pages (dossier 5.16, 5.29)."""
        method, build = f"{FAMILIES[name_space]}/get-open-orders", _order(name_space)
        return self._rows(method, {}, lambda row: self._as_before(name_space, row, build))

    @cached_property
    def _told(self) -> dict[tuple[NameSpace, str], tuple[Row, Order]]:
        return {}

    def _as_before(self, name_space: NameSpace, row: Row, build: Callable[[Row], Order]) -> Order:
        """A row that is told again word for word is the same order: hundreds rest from read to read."""
        key = name_space, str(row.get("order_id"))
        before = self._told.get(key)
        if before is None or before[0] != row:
            before = self._told[key] = row, build(row)
        return before[1]

    def order_detail(
        self, name_space: NameSpace, *, order_id: str | None = None, client_oid: str | None = None
    ) -> Order | None:
        """One order by one of its ids; None when unknown, which proves nothing for 2 s (dossier 5.17, 3.2)."""
        method = f"{FAMILIES[name_space]}/get-order-detail"
        try:
            return self._one_or_none(method, one_id(order_id, client_oid), _order(name_space))
        except NotFound:
            self.last_error = None
            return None

    def order_history(
        self,
        name_space: NameSpace,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int = 100,
        instrument_name: str | None = None,
    ) -> list[Order]:
        """At most 100 finished orders, latest update first; a day by default (dossier 5.18, 5.30, 7)."""
        params = _window(start_ns, end_ns, limit, instrument_name)
        return self._rows(f"{FAMILIES[name_space]}/get-order-history", params, _order(name_space))

    def trades(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int = 100,
        instrument_name: str | None = None,
    ) -> list[Trade]:
        """At most 100 executions of both families, newest first; at most 7 days wide (dossier 5.19, 7)."""
        return self._rows(
            "private/get-trades", _window(start_ns, end_ns, limit, instrument_name), Trade.from_row
        )

    def order_list_detail(self, list_ids: Sequence[str]) -> list[Order]:
        """The legs of all these lists (dossier 5.31)."""
        method = "private/advanced/get-order-list-detail"
        return self._rows(method, {"list_id_list": list(list_ids)}, _order(NameSpace.ADVANCED))


def one_id(order_id: str | None, client_oid: str | None) -> dict[str, object]:
    """The parameter that names an order."""
    if bool(order_id) == bool(client_oid):
        raise ValueError("name an order by exactly one of order_id and client_oid")
    return {"order_id": order_id} if order_id else {"client_oid": client_oid}


def _order(name_space: NameSpace) -> Callable[[Row], Order]:
    return partial(Order.from_row, name_space=name_space)


def _window(start_ns: int | None, end_ns: int | None, limit: int, name: str | None) -> dict[str, object]:
    """Times as text, `limit` as a JSON number: text is answered with 40003 (dossier 1.2)."""
    return given(
        start_time=None if start_ns is None else str(start_ns),
        end_time=None if end_ns is None else str(end_ns),
        limit=limit,
        instrument_name=name,
    )
