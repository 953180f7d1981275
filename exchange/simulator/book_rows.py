"""The order book as a row of the wire: invented depth around the best bid and ask (dossier 5.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchange.simulator.catalogue import Market
from exchange.simulator.market_rows import text
from exchange.simulator.motion import Motion
from exchange.simulator.noise import DAY_MS, key_of, lattice

REFRESH_MS = 1_000  # sizes stay for a second
SHARE_OF_MINUTE = 4  # a level holds up to about this many minutes of trading
MINUTES_A_DAY = DAY_MS // 60_000
MOST_ORDERS = 5
MOST_LEVELS = 150


def book_row(motion: Motion, symbol: str, ms: int, depth: int) -> dict[str, Any]:
    """`data[0]` of public/get-book: levels [price, quantity, orders], best first, and the time."""
    market = motion.market(symbol)
    bids = _levels(motion, market, ms, depth, motion.bid(symbol, ms), -market.price_tick)
    asks = _levels(motion, market, ms, depth, motion.ask(symbol, ms), market.price_tick)
    return {"bids": bids, "asks": asks, "t": ms}


def _levels(
    motion: Motion, market: Market, ms: int, depth: int, best: Decimal, step: Decimal
) -> list[list[str]]:
    key = key_of(motion.seed, "book", market.symbol, ms // REFRESH_MS, step)
    price, rows = best, []
    for level in range(min(depth, MOST_LEVELS)):
        if price <= 0:
            break
        luck = (lattice(key, level) + 1) / 2
        rows.append([text(price), text(_quantity(market, luck)), str(1 + int(luck * MOST_ORDERS))])
        price += step * (1 + int(luck * 7))
    return rows


def _quantity(market: Market, luck: float) -> Decimal:
    """On the quantity grid, never nothing."""
    typical = float(market.volume / market.qty_tick) / MINUTES_A_DAY * SHARE_OF_MINUTE
    return (1 + int(typical * luck)) * market.qty_tick
