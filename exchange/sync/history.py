"""How far each stream has been read, and which stretches are still to read."""

from collections.abc import Iterable
from datetime import datetime

from exchange.models import HistoryGap, HistoryRange, SyncCursor
from exchange.sync.pagination import Gap


def cursor_advance(*, stream: str, read_until_ns: int) -> None:
    """Everything up to `read_until_ns` is read or stands in an open range."""
    if not SyncCursor.objects.filter(stream=stream).update(read_until_ns=read_until_ns):
        SyncCursor.objects.create(stream=stream, read_until_ns=read_until_ns)


def range_open(*, stream: str, start_ns: int, end_ns: int, why: str, now: datetime) -> HistoryRange | None:
    """Note [start_ns, end_ns) as still to be read; nothing when it is empty."""
    if start_ns >= end_ns:
        return None
    return HistoryRange.objects.create(
        stream=stream, start_ns=start_ns, end_ns=end_ns, next_ns=end_ns, why=why, created_at=now
    )


def range_progress(*, range_: HistoryRange, left_until_ns: int, rows: int, now: datetime) -> None:
    """What lies at or after `left_until_ns` is stored; the range is done when nothing is left."""
    range_.next_ns = left_until_ns
    range_.rows += rows
    range_.done_at = now if left_until_ns <= range_.start_ns else None
    range_.save(update_fields=["next_ns", "rows", "done_at"])


def gap_record_all(*, stream: str, gaps: Iterable[Gap], now: datetime) -> None:
    """Say for ever that these stretches may be incomplete."""
    for gap in gaps:
        HistoryGap.objects.get_or_create(
            stream=stream,
            instrument_name=gap.instrument_name,
            start_ns=gap.start_ns,
            end_ns=gap.end_ns,
            defaults={"reason": gap.reason, "found_at": now},
        )
