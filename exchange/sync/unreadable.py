"""Stores what the exchange sent but cannot be true: an order filled beyond its size, a price below zero."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from exchange.client.base import UnreadableRow as ReceivedRow
from exchange.core.database import fit_to_columns
from exchange.models import UnreadableRow


def unreadable_record_all(*, rows: Sequence[ReceivedRow], now: datetime) -> list[str]:
    """Store each once, and count how often it came. Returns a text for each that the cycle reports."""
    if not rows:
        return []
    texts: dict[str, None] = {}
    with transaction.atomic():
        for received in rows:
            values = {"method": received.method, "row_id": received.row_id, "problem": received.problem}
            key = fit_to_columns(UnreadableRow, values)
            raw = received.raw.replace("\0", "")
            seen = UnreadableRow.objects.filter(**key)
            if not seen.update(times=F("times") + 1, last_seen_at=now, raw=raw):
                UnreadableRow.objects.create(**key, raw=raw, first_seen_at=now, last_seen_at=now)
            if received.row_id:  # that a whole answer could not be read is an error of its own
                texts[f"{received.method}: {received.row_id} is not believed, {received.problem}."] = None
    return list(texts)
