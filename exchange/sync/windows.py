"""What the next cycle should read, told from what earlier cycles read."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from exchange.client.client import Client
from exchange.core.times import MS_PER_DAY, NS_PER_DAY, NS_PER_MS, to_ms
from exchange.models import ExchangeOrder, Instrument, SyncCursor
from exchange.models.sync import Stream
from exchange.sync.fetch import LOOKUPS, Key, Wanted
from exchange.sync.pagination import Span

OVERLAP_NS = 10 * 60 * 1000 * NS_PER_MS  # histories may lag and clocks differ by up to a minute (dossier 2.2)
CLOCK_DOUBT_NS = 1_000 * NS_PER_MS
AHEAD_NS = 60 * 1000 * NS_PER_MS
CATALOGUE_EVERY = timedelta(days=1)
MINUTES_A_DAY = 1440


def exchange_now_ns(*, client: Client, now: datetime) -> int:
    """The exchange's time as well as we know it, in whole milliseconds as nanoseconds."""
    return (to_ms(now) + (client.clock_offset_ms or 0)) * NS_PER_MS


def wanted_next(*, client: Client, now: datetime, with_positions: bool = False) -> Wanted:
    """A window per stream that overlaps the last one, and every order that we believe open. `with_positions`
    when derivatives are known: that they are gone is read as well.
    """
    rows = ExchangeOrder.objects.filter(is_open=True).order_by("created_at", "id")  # as their index is
    believed = list(rows.values_list("name_space", "order_id", "instrument_name", "missing_since"))
    fresh = [(space, order_id) for space, order_id, _, missing in believed if missing is None]
    missing = [(space, order_id) for space, order_id, _, missing in believed if missing is not None]
    read = dict(SyncCursor.objects.values_list("stream", "read_until_ns"))
    return Wanted(
        spans=_spans(exchange_now_ns(client=client, now=now), read),
        open_keys=[*fresh, *in_turn(missing, minute=to_ms(now) * MINUTES_A_DAY // MS_PER_DAY)],
        known_instruments=sorted({name for _, _, name, _ in believed}),
        with_catalogue=not Instrument.objects.filter(read_at__gt=now - CATALOGUE_EVERY).exists(),
        with_positions=with_positions,
        bought_since_ns=_bought_since(read, exchange_now_ns(client=client, now=now)),
    )


def in_turn(keys: Sequence[Key], *, minute: int) -> list[Key]:
    """`keys` begun elsewhere each minute: with more than a cycle looks up, each still gets its turn."""
    first = minute * LOOKUPS % len(keys) if keys else 0
    return [*keys[first:], *keys[:first]]


def _bought_since(read: Mapping[str, int], now_ns: int) -> int | None:
    """Since the last look, whose moment is known to half a second; before the first one nothing is new."""
    last = read.get(Stream.TRADES)
    if not settings.AUTO_PROTECT or last is None:
        return None
    return max(last - CLOCK_DOUBT_NS, now_ns - OVERLAP_NS)


def _spans(now_ns: int, read: Mapping[str, int]) -> dict[Stream, Span]:
    """At least the overlap, even if the cursor was set by a clock that ran ahead; at most a day."""
    end = now_ns + AHEAD_NS
    return {
        stream: Span(
            start_ns=max(end - NS_PER_DAY, min(read.get(stream, 0), now_ns) - OVERLAP_NS), end_ns=end
        )
        for stream in Stream
    }
