"""The watchlist: its rows, changes to it, and the instruments that are followed because of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from exchange.core.times import Timeframe
from exchange.models import Candle, Instrument, Quote, SyncRun
from exchange.schemas.market import SPOT
from exchange.selectors import decimals_of
from exchange.services.permissions import Right, require
from oco.models import Lot, OcoGroup
from oco.presentation.positions import pairs_of
from portfolio.models import Balance, WatchlistItem
from portfolio.status.sync_status import OLD_AFTER

TREND_WINDOW = timedelta(hours=25)  # the hourly closes of a day
MAX_ITEMS = 100  # each needs four candle series (dossier 4)
NOTE_LENGTH = 200
DEFAULT_SYMBOLS = ("BTC_USD", "ETH_USD", "SOL_USD", "CRO_USD")
RECENT_GROUPS = timedelta(days=7)  # a closed group stays charted


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistRow:
    """One instrument: last price and when it was read, change in percent, hourly closes of a day. None is unknown.

    `is_tradable`: the exchange still lists it.
    """

    id: int
    instrument_name: str
    price: Decimal | None
    price_at: datetime | None
    is_old: bool
    change_24h_pct: Decimal | None
    trend: tuple[Decimal, ...]
    price_decimals: int | None
    is_tradable: bool
    note: str


class InvalidWatchlistItem(ValueError):
    """Why an instrument or note is not accepted, as a text for the user; `field` is the invalid one."""

    def __init__(self, text: str, *, field: str = "instrument_name") -> None:
        super().__init__(text)
        self.field = field


def watchlist_rows(*, now: datetime, with_trend: bool = True) -> tuple[WatchlistRow, ...]:
    """In list order. Four queries, three without the trend."""
    return to_watchlist_rows(WatchlistItem.objects.all(), now=now, with_trend=with_trend)


def to_watchlist_rows(
    listed: Iterable[WatchlistItem],
    *,
    now: datetime,
    with_trend: bool = True,
    instruments: Mapping[str, Instrument] | None = None,
    quotes: Mapping[str, Quote] | None = None,
) -> tuple[WatchlistRow, ...]:
    """`listed` as rows, in its order. `instruments`, by symbol, and `quotes` save a query each."""
    items = list(listed)
    names = [item.instrument_name for item in items]
    quotes_by_name = load_quotes(names) if quotes is None else quotes
    pairs = instruments
    if pairs is None:
        pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)}
    trends = _trends(names, now) if with_trend else {}
    return tuple(
        _row(
            item,
            quotes_by_name.get(item.instrument_name),
            pairs.get(item.instrument_name),
            tuple(trends.get(item.instrument_name, ())),
            now,
        )
        for item in items
    )


def load_quotes(names: Collection[str]) -> dict[str, Quote]:
    """By instrument; no query without names."""
    return {row.instrument_name: row for row in Quote.objects.filter(instrument_name__in=names)}


def fresh_prices(quotes: Iterable[Quote], *, at: datetime) -> dict[str, Decimal]:
    """The last price by instrument, in its quote currency, where it was not older than allowed `at` that moment."""
    fresh = (row for row in quotes if at - row.read_at <= max_price_age())
    return {row.instrument_name: row.price for row in fresh if row.price is not None}


def tradable_symbols() -> list[str]:
    """The spot pairs that can be added, by name."""
    pairs = Instrument.objects.filter(inst_type=SPOT, tradable=True)
    return list(pairs.order_by("symbol").values_list("symbol", flat=True))


def watchlist_add(
    *, instrument_name: str, note: str | None = None, now: datetime
) -> tuple[WatchlistItem, bool]:
    """Add a spot pair at the end of the list and return whether it is new; an existing one gets the note.

    Accepts `btc/usd` for BTC_USD. Raises InvalidWatchlistItem.
    """
    require(Right.TRADE)
    symbol, cleaned_note = resolve_symbol(instrument_name), None if note is None else clean_note(note)
    with transaction.atomic():
        items = list(WatchlistItem.objects.select_for_update())
        known = next((item for item in items if item.instrument_name == symbol), None)
        if known is not None:
            return known if cleaned_note is None else _save_note(known, cleaned_note, now), False
        if len(items) >= MAX_ITEMS:
            raise InvalidWatchlistItem(
                _("The watchlist is full (maximum %(most)s instruments).") % {"most": MAX_ITEMS}
            )
        last = max((item.position for item in items), default=0)
        item = WatchlistItem.objects.create(
            instrument_name=symbol, note=cleaned_note or "", position=last + 1, changed_at=now
        )
    return item, True


def watchlist_set_note(*, item: WatchlistItem, note: str, now: datetime) -> None:
    """Raises InvalidWatchlistItem when the note is too long."""
    require(Right.TRADE)
    _save_note(item, clean_note(note), now)


def watchlist_remove(*, instrument_name: str) -> bool:
    """Returns whether it was on the list."""
    require(Right.TRADE)
    return bool(WatchlistItem.objects.filter(instrument_name=instrument_name).delete()[0])


def watchlist_move(*, item: WatchlistItem, steps: int, now: datetime) -> None:
    """Move `steps` places down, up if negative, within the list."""
    require(Right.TRADE)
    with transaction.atomic():
        items = list(WatchlistItem.objects.select_for_update())
        at = items.index(item)
        items.insert(min(max(at + steps, 0), len(items) - 1), items.pop(at))
        for position, each in enumerate(items, start=1):
            each.position, each.changed_at = position, now
        WatchlistItem.objects.bulk_update(items, ["position", "changed_at"])


def watchlist_create_default(*, now: datetime) -> list[str]:
    """Fill an empty list before the first sync; returns what was added."""
    if SyncRun.objects.exists() or WatchlistItem.objects.exists():
        return []
    rows = [
        WatchlistItem(instrument_name=symbol, position=position, changed_at=now)
        for position, symbol in enumerate(DEFAULT_SYMBOLS, start=1)
    ]
    return [row.instrument_name for row in WatchlistItem.objects.bulk_create(rows)]


def clean_note(note: str) -> str:
    text = note.strip().replace("\0", "")
    if len(text) > NOTE_LENGTH:
        template = _("A note can have at most %(most)s characters.") % {"most": NOTE_LENGTH}
        raise InvalidWatchlistItem(template, field="note")
    return text


def resolve_symbol(instrument_name: str) -> str:
    """The exchange symbol of a spot pair, however it was written. Raises InvalidWatchlistItem."""
    symbol = instrument_name.strip().upper().replace("/", "_").replace("-", "_")
    known = Instrument.objects.filter(inst_type=SPOT, tradable=True)
    if "\0" not in symbol and known.filter(symbol=symbol).exists():
        return symbol
    if not known.exists():
        raise InvalidWatchlistItem(
            _("The instrument list of the exchange has not been read yet. Try again after the first sync.")
        )
    raise InvalidWatchlistItem(
        _("%(name)s is not a spot pair tradable on the exchange.") % {"name": instrument_name}
    )


def instruments_followed() -> tuple[str, ...]:
    """The watchlist in its order, the pair of each held coin, then what is bought back. Four queries.

    What the exchange no longer lists stays on the watchlist but is not fetched.
    """
    untradable = Instrument.objects.filter(tradable=False).values("symbol")
    watched = WatchlistItem.objects.exclude(instrument_name__in=untradable)
    return tuple(
        dict.fromkeys([*watched.values_list("instrument_name", flat=True), *_held_pairs(), *_buyback_pairs()])
    )


def instruments_charted(*, now: datetime) -> tuple[str, ...]:
    """As `instruments_followed`, with the instruments of open and recently closed groups. One more query."""
    recent = OcoGroup.objects.filter(Q(closed_at=None) | Q(closed_at__gt=now - RECENT_GROUPS))
    grouped = recent.order_by("instrument_name").values_list("instrument_name", flat=True).distinct()
    return tuple(dict.fromkeys([*instruments_followed(), *grouped]))


def _row(
    item: WatchlistItem,
    quote: Quote | None,
    pair: Instrument | None,
    trend: tuple[Decimal, ...],
    now: datetime,
) -> WatchlistRow:
    change = quote.change_24h if quote else None
    return WatchlistRow(
        id=item.pk,
        instrument_name=item.instrument_name,
        price=quote.price if quote else None,
        price_at=quote.read_at if quote else None,
        is_old=quote is not None and now - quote.read_at > max_price_age(),
        change_24h_pct=None if change is None else change * 100,
        trend=trend,
        price_decimals=decimals_of(pair.price_tick_size) if pair else None,
        is_tradable=pair is not None and pair.tradable,
        note=item.note,
    )


def max_price_age() -> timedelta:
    """Beyond it a price is old."""
    return OLD_AFTER * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)


def _trends(names: Iterable[str], now: datetime) -> Mapping[str, list[Decimal]]:
    # The close of the unfinished candle is the newest point.
    found: dict[str, list[Decimal]] = {}
    bars = Candle.objects.filter(
        instrument_name__in=names, timeframe=Timeframe.H1, opened_at__gt=now - TREND_WINDOW
    )
    for name, close in bars.order_by("opened_at").values_list("instrument_name", "close"):
        found.setdefault(name, []).append(close)
    return found


def _save_note(item: WatchlistItem, note: str, now: datetime) -> WatchlistItem:
    item.note, item.changed_at = note, now
    item.save(update_fields=["note", "changed_at"])
    return item


def _held_pairs() -> Iterator[str]:
    # The first tradable pair of each coin; cash is no position.
    rows = Balance.objects.exclude(currency__in=settings.CASH_CURRENCIES).values_list("currency", "quantity")
    pairs = pairs_of([currency for currency, quantity in rows if quantity])
    for _currency, found in sorted(pairs.items()):
        yield from [pair.symbol for pair in found if pair.tradable][:1]


def _buyback_pairs() -> list[str]:
    # The balance has no price of a coin that is sold out.
    lots = Lot.objects.filter(closed_at=None, side=Lot.Side.SELL)
    return list(lots.order_by("instrument_name").values_list("instrument_name", flat=True).distinct())
