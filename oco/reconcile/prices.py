"""What our rows and reads say about an instrument: its grid, its worth, and one look at its market."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from exchange.client.errors import ExchangeError
from exchange.core.times import from_ms, to_ms
from exchange.models import Instrument
from exchange.schemas import Ticker, Valuation
from oco.engine.pricing import Grid, Way
from oco.engine.types import Look, Market
from oco.reconcile.context import Watch

FRESH = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
MOST_MINUTES = 300  # a longer absence cannot be vouched for


def grid_of(instrument: Instrument, tickers: Mapping[str, Ticker]) -> Grid:
    return Grid(
        price_tick=instrument.price_tick_size,
        quantity_tick=instrument.qty_tick_size,
        quote_usd=usd_of(instrument.quote_ccy, tickers),
    )


def usd_of(currency: str, tickers: Mapping[str, Ticker]) -> Decimal | None:
    """What one unit is worth in USD; None when no ticker says."""
    if currency == "USD":
        return Decimal(1)
    ticker = tickers.get(f"{currency}_USD")
    return ticker.last if ticker else None


def market_look(*, watch: Watch, name: str) -> Market:
    """One more look at the market of `name`, shared by all its groups; silent when no price could be read.

    The exchange publishes mark once a minute (dossier 5.5). While that is older than 5 s the last trade stands
    for it, if there is a ticker; without one the published mark has to do: tickers never block protection.
    """
    known = watch.markets.get(name, Market())
    try:
        published, at = _published(watch, name)
    except (ExchangeError, IndexError):
        return _keep(watch, name, Market(looks=known.looks, is_silent=True))
    ticker = _ticker(watch, name, again=bool(known.looks))
    last = ticker.last if ticker else None
    fresh = watch.now() - from_ms(published.time_ms) <= FRESH
    look = Look(
        at=at or watch.now(),
        mark=published.value if fresh or last is None else last,
        published=published.value,
        bid=ticker.bid if ticker else None,
        ask=ticker.ask if ticker else None,
    )
    return _keep(watch, name, Market(looks=(*known.looks, look)))


def _published(watch: Watch, name: str) -> tuple[Valuation, datetime | None]:
    """The newest mark. One that was asked for ahead, at most 5 s ago, is as old as the question, and used once."""
    ahead = watch.marks.pop(name, None)
    if ahead is not None and watch.clock() - ahead.asked_at <= FRESH:
        return ahead.published.answer()[0], ahead.asked_at + watch.offset
    return watch.client.valuations(name, "mark_price", count=1)[0], None


def _keep(watch: Watch, name: str, market: Market) -> Market:
    watch.markets[name] = market
    return market


def _ticker(watch: Watch, name: str, *, again: bool) -> Ticker | None:
    """That of the cycle while it is fresh, else a new one; a second look is always new."""
    held = watch.facts.tickers.get(name)
    if held is not None and not again and watch.now() - from_ms(held.time_ms) <= FRESH:
        return held
    try:
        found = watch.client.tickers(name)
    except ExchangeError:
        return None
    return next((ticker for ticker in found if ticker.instrument_name == name), None)


def worst_since(*, watch: Watch, name: str, since: datetime, way: Way) -> Decimal | None:
    """The published mark that came nearest to the stop from `since` on, or None when the answer does not reach
    back that far.
    """
    minutes = (watch.now() - since) // MINUTE + 2
    if minutes > MOST_MINUTES:
        return None
    try:
        rows = watch.client.valuations(name, "mark_price", count=minutes)
    except ExchangeError:
        return None
    return _worst(rows, to_ms(since), way)


def _worst(rows: list[Valuation], since_ms: int, way: Way) -> Decimal | None:
    reaches = any(row.time_ms <= since_ms for row in rows)
    inside = [row.value for row in rows if row.time_ms > since_ms - 60_000]
    return way.nearer_stop(inside) if reaches and inside else None
