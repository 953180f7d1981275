"""The real markets of the simulator: rows, ticks and starting prices cut from recorded exchange answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

PERPETUAL = "PERPETUAL_SWAP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One instrument: its recorded wire row, and the recorded last price and daily volume it starts from."""

    row: Mapping[str, Any]
    symbol: str
    base: str
    quote: str
    price_tick: Decimal
    qty_tick: Decimal
    price: Decimal
    volume: Decimal
    open_interest: str | None

    @property
    def perpetual(self) -> bool:
        return bool(self.row["inst_type"] == PERPETUAL)

    @property
    def margin(self) -> bool:
        """Supported for margin or collateral use, which narrows the price band (dossier 5.11.6)."""
        return bool(self.row["margin_buy_enabled"] or self.row["margin_sell_enabled"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All markets by symbol, and how far each currency moves on an ordinary day (ratio of its USD value)."""

    markets: Mapping[str, Market]
    daily_move: Mapping[str, float]
    default_daily_move: float
    stable: frozenset[str]
    apart: frozenset[str]

    def move_of(self, currency: str) -> float:
        return self.daily_move.get(currency, self.default_daily_move)

    def indexes(self) -> dict[str, str]:
        """Index name (BTCUSD-INDEX) to the spot symbol that carries its price."""
        perpetuals = (market for market in self.markets.values() if market.perpetual)
        return {market.row["underlying_symbol"]: f"{market.base}_{market.quote}" for market in perpetuals}


def market_from_record(record: Mapping[str, Any]) -> Market:
    row, ticker = record["instrument"], record["ticker"]
    return Market(
        row=row,
        symbol=row["symbol"],
        base=row["base_ccy"],
        quote=row["quote_ccy"],
        price_tick=Decimal(row["price_tick_size"]),
        qty_tick=Decimal(row["qty_tick_size"]),
        price=Decimal(ticker["a"]),
        volume=Decimal(ticker["v"]),
        open_interest=ticker["oi"],
    )


def catalogue_from_data(data: Mapping[str, Any]) -> Catalogue:
    markets = [market_from_record(record) for record in data["markets"]]
    return Catalogue(
        markets={market.symbol: market for market in markets},
        daily_move={currency: float(move) for currency, move in data["daily_move"].items()},
        default_daily_move=float(data["default_daily_move"]),
        stable=frozenset(data["stable"]),
        apart=frozenset(data["apart"]),
    )


@cache
def recorded_catalogue() -> Catalogue:
    """The committed catalogue, read once."""
    text = resources.files(__package__).joinpath("catalogue.json").read_text(encoding="utf-8")
    return catalogue_from_data(json.loads(text))
