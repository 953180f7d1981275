"""What our rows and reads say about an instrument: its grid, and samples of its market."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from decimal import Decimal

from exchange.client.error_codes import ABOUT_INSTRUMENT
from exchange.client.errors import ExchangeError
from exchange.core.times import from_ms, to_ms
from exchange.models import Instrument
from exchange.schemas import Ticker, Valuation
from exchange.sync.market_data import instruments_read_again
from oco.engine.pricing import ExitSide, Grid, usd_of
from oco.engine.types import Market, PriceSample
from oco.models import OcoLeg
from oco.reconcile.context import CycleContext

MAX_PRICE_AGE = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
MAX_MINUTES = 300  # of a longer absence nothing can be said


def grids_read(*, context: CycleContext, names: AbstractSet[str], again: bool = False) -> None:
    """Put the grids of these instruments into the context. One that the catalogue no longer lists stays out."""
    unknown = names if again else names - context.grids.keys()
    if unknown:
        instruments = Instrument.objects.filter(symbol__in=unknown)
        context.grids |= {row.symbol: grid_of(row, context.reads.tickers) for row in instruments}


def rules_read_again(*, context: CycleContext) -> None:
    """Read the rules of all instruments again, once a cycle: refusals mention them, or a price that no longer holds.

    Decisions go on with the rules and prices as they are then; if the read fails, with those known before.
    """
    context.instruments_read = True
    try:
        changed = instruments_read_again(client=context.client, lease=context.lease, now=context.clock())
    except ExchangeError as error:
        context.errors.append(f"Instruments: {error}")
        return
    before = dict(context.grids)
    grids_read(context=context, names=changed & before.keys(), again=True)
    names = {name for name, grid in context.grids.items() if grid != before.get(name)}
    if names:
        legs = OcoLeg.objects.filter(group__instrument_name__in=names, refused_code__in=ABOUT_INSTRUMENT)
        context.outdated |= set(legs.filter(sent_at__gte=context.started).values_list("pk", flat=True))


def grid_of(instrument: Instrument, tickers: Mapping[str, Ticker]) -> Grid:
    return Grid.of(instrument, usd_of(instrument.quote_ccy, tickers))


def sample_market(*, context: CycleContext, name: str) -> Market:
    """One more sample of the market of `name`, shared by all its groups; unavailable when no price could be read.

    The exchange publishes mark once a minute (dossier 5.5). While that is older than 5 s the last trade replaces
    it, if there is a ticker; without one the published mark is used: tickers never block protection.
    """
    known = context.markets.get(name, Market())
    try:
        published, at = _published(context, name)
    except (ExchangeError, IndexError):
        return _store(context, name, Market(samples=known.samples, is_unavailable=True))
    ticker = _ticker(context, name, again=bool(known.samples))
    last = ticker.last if ticker else None
    fresh = context.now() - from_ms(published.time_ms) <= MAX_PRICE_AGE
    sample = PriceSample(
        at=at or context.now(),
        mark=published.value if fresh or last is None else last,
        published=published.value,
        bid=ticker.bid if ticker else None,
        ask=ticker.ask if ticker else None,
    )
    return _store(context, name, Market(samples=(*known.samples, sample)))


def _published(context: CycleContext, name: str) -> tuple[Valuation, datetime | None]:
    """The newest mark. One requested in advance, at most 5 s ago, counts from its request, and is used once."""
    prefetched = context.marks.pop(name, None)
    if prefetched is not None and context.clock() - prefetched.requested_at <= MAX_PRICE_AGE:
        return prefetched.published.result()[0], prefetched.requested_at + context.offset
    return context.client.valuations(name, "mark_price", count=1)[0], None


def _store(context: CycleContext, name: str, market: Market) -> Market:
    context.markets[name] = market
    return market


def _ticker(context: CycleContext, name: str, *, again: bool) -> Ticker | None:
    """The one of the cycle while it is fresh, else a new one; a second sample always reads a new one."""
    last_ticker = context.reads.tickers.get(name)
    if (
        last_ticker is not None
        and not again
        and context.now() - from_ms(last_ticker.time_ms) <= MAX_PRICE_AGE
    ):
        return last_ticker
    try:
        found = context.client.tickers(name)
    except ExchangeError:
        return None
    return next((ticker for ticker in found if ticker.instrument_name == name), None)


def worst_mark_since(
    *, context: CycleContext, name: str, since: datetime, exit_side: ExitSide
) -> Decimal | None:
    """The published mark that came nearest to the stop from `since` on, or None when the answer does not reach
    back that far.
    """
    minutes = (context.now() - since) // MINUTE + 2
    if minutes > MAX_MINUTES:
        return None
    try:
        rows = context.client.valuations(name, "mark_price", count=minutes)
    except ExchangeError:
        return None
    return _worst_mark(rows, to_ms(since), exit_side)


def _worst_mark(rows: list[Valuation], since_ms: int, exit_side: ExitSide) -> Decimal | None:
    reaches = any(row.time_ms <= since_ms for row in rows)
    inside = [row.value for row in rows if row.time_ms > since_ms - 60_000]
    return exit_side.worst_price(inside) if reaches and inside else None
