"""What the listener of the user stream tells the other processes, in one row."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from exchange.client.errors import ExchangeError
from exchange.core.reasons import stored_sentence
from exchange.models import StreamRecord, SyncRun, Trade
from exchange.stream.listener import StreamState, StreamStatus
from exchange.stream.messages import Channel

SILENT_AFTER = timedelta(seconds=30)  # a listener writes every 5 s
DEAF_AFTER = timedelta(seconds=10)  # connecting again takes a moment
MAX_ERROR_LENGTH, MAX_COMPARED = 500, 500
DEAF_INTERVAL_S = 15  # between cycles while the stream is down


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamView:
    """As the pages, the state and `/health` show it (contract 8). `since` is None where it was never listened to."""

    status: StreamStatus
    since: datetime | None = None
    last_message_at: datetime | None = None

    def is_deaf(self, *, now: datetime) -> bool:
        """Down for longer than connecting again takes."""
        return self.status is StreamStatus.DOWN and self.since is not None and now - self.since > DEAF_AFTER


def stream_record(*, state: StreamState, now: datetime) -> None:
    """Store how the stream is."""
    error = state.error.sentence() if state.error else ""
    StreamRecord.objects.update_or_create(
        only=True,
        defaults={
            "status": state.status,
            "since": state.since,
            "last_message_at": state.last_message_at,
            "error": error[:MAX_ERROR_LENGTH],
            "error_reason": stored_sentence(error) if error else None,
            "refused": [_stored_refusal(*each) for each in state.refused.items()],
            "unreadable": state.unreadable,
            "beat_at": now,
        },
    )


def _stored_refusal(channel: Channel, error: ExchangeError) -> dict[str, object]:
    sentence = error.sentence()
    return {"channel": str(channel), "text": sentence[:MAX_ERROR_LENGTH], "reason": stored_sentence(sentence)}


def cycle_last_complete() -> datetime | None:
    """When the newest cycle that read the whole account began."""
    runs = SyncRun.objects.filter(status=SyncRun.Status.OK).order_by("-started_at", "-id")
    return runs.values_list("started_at", flat=True).first()


def last_clock_offset_ms() -> int | None:
    """The exchange's clock minus ours, as the newest cycle that knows it measured it."""
    runs = SyncRun.objects.exclude(clock_offset_ms=None)
    return runs.values_list("clock_offset_ms", flat=True).first()


def unannounced_trade(*, announced: Container[str], since_ns: int, until_ns: int) -> str:
    """A fill of this time that cycles have stored and the stream never announced; "" when there is none."""
    stored = Trade.objects.filter(create_time_ns__gt=since_ns, create_time_ns__lt=until_ns)
    ids = stored.values_list("trade_id", flat=True)[:MAX_COMPARED]
    return next((trade_id for trade_id in ids if trade_id not in announced), "")


def stream_view(
    *,
    status: str | None,
    since: datetime | None,
    last_message_at: datetime | None,
    beat_at: datetime | None,
    now: datetime,
) -> StreamView:
    """From the columns of the record. A listener that says nothing any more hears nothing either."""
    if not settings.STREAM_ENABLED:
        return StreamView(status=StreamStatus.OFF)
    if status is None or beat_at is None:
        return StreamView(status=StreamStatus.DOWN)
    if now - beat_at > SILENT_AFTER:
        return StreamView(status=StreamStatus.DOWN, since=beat_at, last_message_at=last_message_at)
    return StreamView(status=StreamStatus(status), since=since, last_message_at=last_message_at)


def cycle_interval(*, now: datetime) -> timedelta:
    """Between two scheduled cycles: shorter while the stream should be heard and is not."""
    normal = timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)
    if not settings.STREAM_ENABLED:
        return normal
    row = StreamRecord.objects.values_list("status", "since").first()
    is_deaf = row is not None and StreamView(status=StreamStatus(row[0]), since=row[1]).is_deaf(now=now)
    return min(normal, timedelta(seconds=DEAF_INTERVAL_S)) if is_deaf else normal
