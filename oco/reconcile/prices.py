"""What our rows and reads say about an instrument: its grid, and samples of its market."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

from exchange.client.error_codes import ABOUT_INSTRUMENT
from exchange.client.errors import ExchangeError, Unreachable, timed_out
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
RULES_AGE = timedelta(minutes=10)
MAX_MINUTES = 300  # of a longer absence nothing can be said
MAX_WAIT_S = 2.0  # for a price that was requested in advance
MARK, TICKER, BOOK = "Mark price", "Ticker", "Order book"
T = TypeVar("T")


def grids_read(*, context: CycleContext, names: AbstractSet[str], again: bool = False) -> None:
    """Put the grids of these instruments into the context. One that the catalogue no longer lists stays out."""
    unknown = names if again else names - context.grids.keys()
    if unknown:
        instruments = Instrument.objects.filter(symbol__in=unknown)
        context.grids |= {row.symbol: grid_of(row, context.reads.tickers) for row in instruments}


def rules_confirm(*, context: CycleContext, names: AbstractSet[str], is_news: bool = False) -> bool:
    """Read the rules of all instruments again, once a cycle, before something of `names` stays unprotected because of
    them: when that is new in this cycle, when one answer alone said so, and every ten minutes. Whether they were read.
    """
    if not names or context.instruments_read:
        return False
    rows = Instrument.objects.filter(symbol__in=names).values_list("rules_since", "read_at")
    since = context.clock() - RULES_AGE
    if not is_news and not any(first == read_at or read_at <= since for first, read_at in rows):
        return False
    rules_read_again(context=context)
    return True


def rules_read_again(*, context: CycleContext) -> None:
    """Read the rules of all instruments again, once a cycle: refusals mention them, or a price that no longer holds.

    Decisions go on with the rules and prices as they are then; if the read fails, with those known before.
    """
    context.instruments_read = True
    try:
        changed = instruments_read_again(budget=context.budget, lease=context.lease, now=context.clock())
    except ExchangeError as error:
        context.errors.append(error.sentence("Instruments"))
        return
    before = dict(context.grids)
    grids_read(context=context, names=changed & before.keys(), again=True)
    names = {name for name, grid in context.grids.items() if grid != before.get(name)}
    if names:
        legs = OcoLeg.objects.filter(group__instrument_name__in=names, refused_code__in=ABOUT_INSTRUMENT)
        context.outdated_legs |= set(legs.filter(sent_at__gte=context.started).values_list("pk", flat=True))


def grid_of(instrument: Instrument, tickers: Mapping[str, Ticker]) -> Grid:
    return Grid.of(instrument, usd_of(instrument.quote_ccy, tickers))


def sample_market(*, context: CycleContext, name: str) -> Market:
    """One more sample of the market of `name`, shared by all its groups; unavailable when no price could be read.

    The exchange publishes mark once a minute (dossier 5.5). While that is older than 5 s the last trade replaces
    it, if there is a ticker. Each is the second source of the other, and the order book is the third.
    """
    known = context.markets.get(name, Market())
    published, at = _published(context, name)
    ticker = _ticker(context, name, again=bool(known.samples))
    last, bid, ask = (ticker.last, ticker.bid, ticker.ask) if ticker else (None, None, None)
    if published is None and last is None:
        bid, ask = _book(context, name)
        last = (bid + ask) / 2 if bid is not None and ask is not None else None
    is_fresh = published is not None and context.now() - from_ms(published.time_ms) <= MAX_PRICE_AGE
    mark = published.value if published is not None and (is_fresh or last is None) else last
    if mark is None:
        return _store(context, name, Market(samples=known.samples, is_unavailable=True))
    sample = PriceSample(
        at=at or context.now(),
        mark=mark,
        published=published.value if published else None,
        bid=bid,
        ask=ask,
    )
    return _store(context, name, Market(samples=(*known.samples, sample)))


def _published(context: CycleContext, name: str) -> tuple[Valuation | None, datetime | None]:
    """The newest mark. One requested in advance, at most 5 s ago, counts from its request, and is used once."""
    prefetched = context.marks.pop(name, None)
    if prefetched is not None and context.clock() - prefetched.requested_at <= MAX_PRICE_AGE:
        read = partial(prefetched.published.result, MAX_WAIT_S)
        return _newest(_try_price(context, MARK, name, read)), prefetched.requested_at + context.offset
    return _newest(_try_price(context, MARK, name, partial(_marks, context, name, 1))), None


def _newest(rows: Sequence[Valuation] | None) -> Valuation | None:
    return rows[0] if rows else None


def _marks(context: CycleContext, name: str, count: int) -> Sequence[Valuation]:
    return context.client.valuations(name, "mark_price", count=count)


def _try_price(context: CycleContext, source: str, name: str, read: Callable[[], T]) -> T | None:
    """What `read` brings, or None: the error is recorded, and a silent source is not asked again in this cycle."""
    if source in context.silent_sources:
        return None
    try:
        with context.client.answer_within(MAX_PRICE_AGE.total_seconds()):
            return read()
    except Unreachable as error:
        context.silent_sources.add(source)
        context.errors.append(error.sentence(f"{source} of", name=name))
    except ExchangeError as error:
        context.errors.append(error.sentence(f"{source} of", name=name))
    except TimeoutError:
        context.silent_sources.add(source)
        context.errors.append(timed_out(f"{source} of", name=name))
    return None


def _book(context: CycleContext, name: str) -> tuple[Decimal | None, Decimal | None]:
    """Best bid and ask."""
    book = _try_price(context, BOOK, name, partial(context.client.book, name, depth=1))
    if book is None or not (book.bids and book.asks):
        return None, None
    return book.bids[0].price, book.asks[0].price


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
    found = _try_price(context, TICKER, name, partial(context.client.tickers, name))
    return next((ticker for ticker in found or () if ticker.instrument_name == name), None)


def worst_mark_since(
    *, context: CycleContext, name: str, since: datetime, exit_side: ExitSide
) -> Decimal | None:
    """The published mark that came nearest to the stop from `since` on, or None when the answer does not reach
    back that far.
    """
    minutes = (context.now() - since) // MINUTE + 2
    if minutes > MAX_MINUTES:
        return None
    rows = _try_price(context, MARK, name, partial(_marks, context, name, minutes))
    return None if rows is None else _worst_mark(rows, to_ms(since), exit_side)


def _worst_mark(rows: Sequence[Valuation], since_ms: int, exit_side: ExitSide) -> Decimal | None:
    reaches = any(row.time_ms <= since_ms for row in rows)
    inside = [row.value for row in rows if row.time_ms > since_ms - 60_000]
    return exit_side.worst_price(inside) if reaches and inside else None
