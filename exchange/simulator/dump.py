"""The exchange's own record for tests and for a curious person: the truth, whatever the answers said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.simulator import reservations
from exchange.simulator.codec import amounts, encode

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange


def dump(x: Exchange) -> dict[str, Any]:
    return {
        "time_ms": x.at_ms,
        "balances": amounts(x.ledger.balances),
        "paid_in": amounts(x.ledger.paid_in),
        "reserved": amounts(reservations.reserved(x)),
        "orders": [encode(order) for order in x.all_orders()],
        "lists": [encode(each) for each in x.lists.values()],
        "trades": [encode(trade) for trade in x.trades.rows],
        "positions": [encode(each) for each in x.positions.values()],
        "quirks": x.quirks.as_dict(),
        "faults": x.faults.rows(),
        "rate_limits": x.limits.enabled,
        "skew_ms": x.skew_ms,
    }
