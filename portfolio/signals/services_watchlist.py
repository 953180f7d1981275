"""Changes the watchlist."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from exchange.models import Instrument, SyncRun
from portfolio.models import WatchlistItem
from portfolio.signals.watching import SPOT

MOST = 100  # each costs four series of bars (dossier 4)
NOTE_LENGTH = 200
USUAL = ("BTC_USD", "ETH_USD", "SOL_USD", "CRO_USD")


class NotWatchable(ValueError):
    """Cannot be put on the list, and why, in words for the person. `field` is what is wrong."""

    def __init__(self, text: str, *, field: str = "instrument_name") -> None:
        super().__init__(text)
        self.field = field


def watchlist_add(
    *, instrument_name: str, note: str | None = None, now: datetime
) -> tuple[WatchlistItem, bool]:
    """Put a spot pair at the end of the list, and whether it is new; one that is there takes the note.

    Takes `btc/usd` for BTC_USD. Raises NotWatchable.
    """
    symbol, checked = symbol_of(instrument_name), None if note is None else checked_note(note)
    with transaction.atomic():
        items = list(WatchlistItem.objects.select_for_update())
        known = next((item for item in items if item.instrument_name == symbol), None)
        if known is not None:
            return known if checked is None else _noted(known, checked, now), False
        if len(items) >= MOST:
            raise NotWatchable(_("The watchlist is full: it holds %(most)s instruments.") % {"most": MOST})
        last = max((item.position for item in items), default=0)
        item = WatchlistItem.objects.create(
            instrument_name=symbol, note=checked or "", position=last + 1, changed_at=now
        )
    return item, True


def watchlist_note(*, item: WatchlistItem, note: str, now: datetime) -> None:
    """Write another note. Raises NotWatchable when it is too long."""
    _noted(item, checked_note(note), now)


def watchlist_remove(*, instrument_name: str) -> bool:
    """Whether it was on the list."""
    return bool(WatchlistItem.objects.filter(instrument_name=instrument_name).delete()[0])


def watchlist_move(*, item: WatchlistItem, steps: int, now: datetime) -> None:
    """So many places down the list, up if negative; not beyond its ends."""
    with transaction.atomic():
        items = list(WatchlistItem.objects.select_for_update())
        at = items.index(item)
        items.insert(min(max(at + steps, 0), len(items) - 1), items.pop(at))
        for position, each in enumerate(items, start=1):
            each.position, each.changed_at = position, now
        WatchlistItem.objects.bulk_update(items, ["position", "changed_at"])


def watchlist_begin(*, now: datetime) -> list[str]:
    """The usual four, for a desk that has never run and whose list is empty; what was put on it."""
    if SyncRun.objects.exists() or WatchlistItem.objects.exists():
        return []
    rows = [
        WatchlistItem(instrument_name=symbol, position=position, changed_at=now)
        for position, symbol in enumerate(USUAL, start=1)
    ]
    return [row.instrument_name for row in WatchlistItem.objects.bulk_create(rows)]


def checked_note(note: str) -> str:
    text = note.strip().replace("\0", "")
    if len(text) > NOTE_LENGTH:
        words = _("A note has at most %(most)s characters.") % {"most": NOTE_LENGTH}
        raise NotWatchable(words, field="note")
    return text


def symbol_of(instrument_name: str) -> str:
    """The exchange's name of a spot pair, however it was written. Raises NotWatchable."""
    symbol = instrument_name.strip().upper().replace("/", "_").replace("-", "_")
    known = Instrument.objects.filter(inst_type=SPOT, tradable=True)
    if "\0" not in symbol and known.filter(symbol=symbol).exists():
        return symbol
    if not known.exists():
        raise NotWatchable(
            _("The exchange's catalogue has not been read yet. Try again after the first sync.")
        )
    raise NotWatchable(
        _("%(name)s is not a spot pair that can be traded on the exchange.") % {"name": instrument_name}
    )


def _noted(item: WatchlistItem, note: str, now: datetime) -> WatchlistItem:
    item.note, item.changed_at = note, now
    item.save(update_fields=["note", "changed_at"])
    return item
