"""What anybody may ask: instruments, tickers, candles, books, valuations (dossier 5.1 to 5.5)."""

from exchange.client.reader import Reader, given
from exchange.types import Book, Candle, Instrument, Ticker, Valuation


class PublicCalls(Reader):
    """Unsigned reads, sent as GET."""

    def instruments(self) -> list[Instrument]:
        """Every instrument; rows of a kind we cannot read are left out (dossier 5.1)."""
        return self._readable("public/get-instruments", {}, Instrument.from_row)

    def tickers(self, instrument_name: str | None = None) -> list[Ticker]:
        """The last 24 hours of one or all instruments; unreadable rows are left out (dossier 5.2)."""
        return self._readable("public/get-tickers", given(instrument_name=instrument_name), Ticker.from_row)

    def candles(
        self,
        instrument_name: str,
        timeframe: str,
        count: int = 300,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Candle]:
        """At most 300 bars, oldest first, the newest unfinished; `end_ms` is exclusive (dossier 5.3)."""
        query = given(
            instrument_name=instrument_name,
            timeframe=timeframe,
            count=count,
            start_ts=start_ms,
            end_ts=end_ms,
        )
        return self._rows("public/get-candlestick", query, Candle.from_row)

    def book(self, instrument_name: str, depth: int = 10) -> Book:
        """Both sides of the order book, best price first (dossier 5.4)."""
        query = given(instrument_name=instrument_name, depth=depth)
        return self._one("public/get-book", query, Book.from_row)

    def valuations(
        self, instrument_name: str, valuation_type: str = "mark_price", count: int = 1
    ) -> list[Valuation]:
        """Mark, index or funding values; spot pairs have only `mark_price` (dossier 5.5)."""
        query = given(instrument_name=instrument_name, valuation_type=valuation_type, count=count)
        return self._rows("public/get-valuations", query, Valuation.from_row)
