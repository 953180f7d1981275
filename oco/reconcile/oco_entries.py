"""New trades become lots with a group each, or are passed over (rule 1, chapter 1)."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from exchange.models import Trade
from exchange.services.lease import LeaseLost
from oco.engine import lots
from oco.models.lot import Lot, Watermark
from oco.reconcile.entry import Entry, entries_new
from oco.reconcile.opening import draft_of, lot_open, trades_pass_over, trades_take
from oco.reconcile.watch import Watch

logger = logging.getLogger("exchange_sync")
CLOCK_DOUBT_NS = 1_000_000_000
T = TypeVar("T")


def watermark_set(*, watch: Watch) -> int | None:
    """Nothing that executed before the first complete read is ever acted on by itself (rule 1).

    The exchange's clock is known to half a second. So the mark is set a second early, and what the first
    read already shows from before its own start is passed over by name.
    """
    known = Watermark.objects.values_list("since_ns", flat=True).first()
    if known is not None or not watch.facts.can_add:
        return known
    started = watch.facts.started_ns
    with transaction.atomic():
        watch.held.renew()
        row = Watermark.objects.create(since_ns=started - CLOCK_DOUBT_NS)
        early = Trade.objects.filter(create_time_ns__gte=row.since_ns, create_time_ns__lt=started)
        trades_take(trade_ids=[trade.trade_id for trade in early], lot=None)
    return row.since_ns


def lot_open_all(*, watch: Watch) -> None:
    """A lot and a group for every entry that is large enough, up to five; then they are merged."""
    since = watermark_set(watch=watch)
    if since is None or not watch.facts.trades_read:
        return
    for entry in _tried(watch, lambda: entries_new(watch=watch, since_ns=since), "New trades") or ():
        _tried(watch, partial(_take, watch, entry), f"{entry.instrument.symbol}: a new position")


def _tried(watch: Watch, act: Callable[[], T], what: str) -> T | None:
    """What cannot be taken in stops nothing else."""
    try:
        return act()
    except LeaseLost:
        raise
    except Exception:
        logger.exception("Exchange sync: %s could not be taken into protection", what)
        watch.errors.append(f"{what} could not be taken into protection.")
        return None


def _take(watch: Watch, entry: Entry) -> None:
    """Too little waits for the next trades; a sixth lot waits until the five are one."""
    if not settings.AUTO_PROTECT or not entry.policy.enabled:
        trades_pass_over(watch=watch, trades=entry.trades)
        return
    found = draft_of(entry)
    if found is None:
        return
    others = Lot.objects.filter(
        entry_order_id=entry.order_id,
        instrument_name=entry.instrument.symbol,
        side=entry.side,
        closed_at=None,
    )
    if others.filter(merging=True).exists():
        return
    if others.count() < lots.MOST:
        lot_open(watch=watch, entry=entry, draft=found)
    elif not watch.no_create:
        others.update(merging=True)
