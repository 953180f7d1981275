"""The market of the simulator: prices, and everything public as rows of the wire."""

from __future__ import annotations

from typing import Any

from exchange.simulator import book_rows, market_rows, valuations
from exchange.simulator.motion import Motion

Rows = list[dict[str, Any]]


class Prices(Motion):
    """What the exchange asks of its market. See the row modules for meanings and errors."""

    def instruments_rows(self) -> Rows:
        return market_rows.instrument_rows(self)

    def ticker_row(self, symbol: str, ms: int) -> dict[str, Any]:
        return market_rows.ticker_row(self, symbol, ms)

    def candle_rows(
        self,
        symbol: str,
        timeframe: str,
        *,
        count: int | None,
        start_ms: int | None,
        end_ms: int | None,
        now_ms: int,
    ) -> Rows:
        return market_rows.candle_rows(
            self, symbol, timeframe, count=count, start_ms=start_ms, end_ms=end_ms, now_ms=now_ms
        )

    def book(self, symbol: str, ms: int, depth: int) -> dict[str, Any]:
        return book_rows.book_row(self, symbol, ms, depth)

    def valuation_rows(
        self,
        symbol: str,
        valuation_type: str,
        count: int | None,
        start_ms: int | None,
        end_ms: int | None,
        now_ms: int,
    ) -> Rows:
        return valuations.valuation_rows(
            self, symbol, valuation_type, count=count, start_ms=start_ms, end_ms=end_ms, now_ms=now_ms
        )
