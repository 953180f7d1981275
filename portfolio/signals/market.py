"""What happens every five minutes: read the bars that are new, and look at them."""

import logging
from datetime import datetime

from django.utils import timezone

from exchange.client.client import client_from_settings
from exchange.services.runs import heartbeat_record
from exchange.sync.market_data import Reading, candles_read, candles_thin
from portfolio.signals.followed import instruments_charted, instruments_followed
from portfolio.signals.signals import signals_compute, signals_thin
from portfolio.web.stamps import SIGNALS

logger = logging.getLogger(__name__)


def market_update() -> str:
    """In words what was done. Public reads only: no lease, no key, and no cycle waits for it."""
    reading = _read(now=timezone.now())
    for error in reading.errors:
        logger.warning("Market: %s", error)
    now = timezone.now()
    candles_thin(now=now)
    changed = signals_compute(instrument_names=instruments_followed(), now=now)
    signals_thin(now=now)
    heartbeat_record(name=SIGNALS)
    return f"{reading.read} series read, {reading.left} left, {changed} signals changed"


def _read(*, now: datetime) -> Reading:
    """The share of the limits that is kept for orders stays untouched."""
    client = client_from_settings()
    client.background = True
    try:
        return candles_read(client=client, instrument_names=instruments_charted(now=now), clock=timezone.now)
    finally:
        client.close()
