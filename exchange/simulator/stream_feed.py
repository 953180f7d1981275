"""What changed on the account, collected while the exchange is locked and handed to every stream when it is not.

An order that changed several times at one moment is shown once, as it was left (recorded in August 2026: a market
order is one message).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from exchange.simulator import serializers
from exchange.simulator.faults import Faults
from exchange.simulator.models import NameSpace, Order, Trade, Transfer
from exchange.simulator.stream_options import STREAM_KINDS, StreamOptions

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


@dataclass(slots=True)
class AccountChanges:
    """The orders can be read, each in the name spaces that show it. Any change is one of the balance as well."""

    orders: list[tuple[NameSpace, Order]] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    positions: bool = False

    @property
    def moved(self) -> bool:
        """Whether a quantity is another one, not only a reservation."""
        return bool(self.trades or self.transfers or self.positions)


class Session(Protocol):
    """One open stream, as the account and the controls see it."""

    def account_changed(self, changes: AccountChanges) -> None: ...

    def drop(self, code: int | None, reason: str = "") -> None:
        """Close it with a code; reset the connection when there is none."""

    def describe(self) -> dict[str, object]: ...


class AccountFeed:
    """The open streams, their options and faults, and what they have not been shown yet. Use it under the lock."""

    def __init__(self) -> None:
        self.options = StreamOptions()
        self.faults = Faults(kinds=STREAM_KINDS)
        self.sessions: list[Session] = []
        self._orders: dict[int, Order] = {}
        self._changes = AccountChanges()
        self._is_changed = False

    def order(self, order: Order) -> None:
        if self.sessions:
            self._orders[id(order)] = order

    def trade(self, trade: Trade) -> None:
        if self.sessions:
            self._changes.trades.append(trade)
            self._is_changed = True

    def transfer(self, transfer: Transfer) -> None:
        if self.sessions:
            self._changes.transfers.append(transfer)
            self._is_changed = True

    def positions(self) -> None:
        if self.sessions:
            self._changes.positions = self._is_changed = True

    def flush(self, exchange: Exchange) -> None:
        """Show the streams what changed; an order that cannot be read yet waits until it can."""
        if not self._orders and not self._is_changed:
            return
        changes = self._changes
        for key, order in list(self._orders.items()):
            if serializers.is_readable(exchange, order):
                changes.orders += [(name, order) for name in name_spaces_of(exchange, order)]
                del self._orders[key]
        if not changes.orders and not self._is_changed:
            return
        self._changes, self._is_changed = AccountChanges(), False
        for session in list(self.sessions):
            session.account_changed(changes)


def name_spaces_of(exchange: Exchange, order: Order) -> list[NameSpace]:
    """Its own; a triggered order may be in both (option triggered_in_plain)."""
    return [name for name, store in exchange.stores.items() if store.by_id.get(store.key(order)) is order]
