"""Stores what the exchange sent but cannot be true: an order filled beyond its size, a price below zero."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from exchange.client.base import UnreadableRow as ReceivedRow
from exchange.core.database import fit_to_columns
from exchange.core.reasons import Sentence, SyncReason, sentence_columns
from exchange.models import UnreadableRow


def unreadable_record_all(*, rows: Sequence[ReceivedRow], now: datetime) -> list[Sentence]:
    """Store each once, and count how often it came. Returns a text for each that the cycle reports."""
    if not rows:
        return []
    texts: dict[Sentence, None] = {}
    with transaction.atomic():
        for received in rows:
            values = {"method": received.method, "row_id": received.row_id, "problem": str(received.problem)}
            key = fit_to_columns(UnreadableRow, values)
            why = sentence_columns(received.problem)
            raw = received.raw.replace("\0", "")
            seen = UnreadableRow.objects.filter(**key)
            if not seen.update(times=F("times") + 1, last_seen_at=now, raw=raw, **why):
                UnreadableRow.objects.create(**key, **why, raw=raw, first_seen_at=now, last_seen_at=now)
            if received.row_id:  # that a whole answer could not be read is an error of its own
                texts[_sentence(received, key["row_id"])] = None
    return list(texts)


def _sentence(received: ReceivedRow, row: str) -> Sentence:
    method, problem = received.method, received.problem
    text = f"{method}: {row} is not believed, {problem}."
    return Sentence(text, SyncReason.ROW_NOT_BELIEVED, method=method, row=row, problem=problem)
