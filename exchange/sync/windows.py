"""What the next cycle reads, from what earlier cycles read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Subquery

from exchange.client.client import Client
from exchange.core.times import MS_PER_DAY, NS_PER_DAY, NS_PER_MS, exchange_time_ns, to_ms
from exchange.models import ExchangeOrder, SyncCursor, Trade
from exchange.models.sync import Stream
from exchange.sync.fetch import MAX_LOOKUPS, FetchPlan, OrderKey
from exchange.sync.market_data import catalogue_is_current
from exchange.sync.pagination import TimeWindow

CYCLE_OVERLAP_NS = (
    10 * 60 * 1000 * NS_PER_MS
)  # histories may lag and clocks differ by up to a minute (dossier 2.2)
CLOCK_TOLERANCE_NS = 1_000 * NS_PER_MS
LOOKAHEAD_NS = 60 * 1000 * NS_PER_MS
MINUTES_A_DAY = 1440
OPEN_COLUMNS = ("name_space", "order_id", "instrument_name", "missing_since", "side", "origin", "list_id")


def exchange_now_ns(*, client: Client, now: datetime) -> int:
    """The exchange's time as well as we know it, in whole milliseconds as nanoseconds."""
    return exchange_time_ns(now, client.clock_offset_ms)


def next_fetch_plan(*, client: Client, now: datetime, with_positions: bool = False) -> FetchPlan:
    """A window per stream that overlaps the last one, and every order recorded as open.

    `with_positions` when derivatives are known, so that their end is read as well.
    """
    rows = ExchangeOrder.objects.filter(is_open=True).order_by("created_at", "id")  # as their index is
    known_open = list(rows.values_list(*OPEN_COLUMNS, named=True))
    fresh = [_key(row) for row in known_open if row.missing_since is None]
    missing = [_key(row) for row in known_open if row.missing_since is not None]
    newest = Subquery(Trade.objects.order_by("-create_time_ns", "-id").values("create_time_ns")[:1])
    cursors = list(SyncCursor.objects.values_list("stream", "read_until_ns", newest))
    read = {stream: read_until_ns for stream, read_until_ns, _ in cursors}
    now_ns = exchange_now_ns(client=client, now=now)
    return FetchPlan(
        windows=_windows(now_ns, read),
        open_keys=[*fresh, *rotate(missing, minute=to_ms(now) * MINUTES_A_DAY // MS_PER_DAY)],
        late_keys=frozenset(_key(row) for row in known_open if _is_plain_purchase(row)),
        known_instruments=sorted({row.instrument_name for row in known_open}),
        with_catalogue=not catalogue_is_current(now=now),
        with_positions=with_positions,
        new_trades_since_ns=_new_trades_since(read, now_ns),
        read_until_ns=read,
        newest_trade_ns=cursors[0][2] if cursors else None,
        list_ids={_key(row): row.list_id for row in known_open if row.list_id},
    )


def _key(row: Any) -> OrderKey:
    return row.name_space, row.order_id


def _is_plain_purchase(row: Any) -> bool:
    """An external limit buy: its trades say all that protection needs, and it reserves no coins."""
    facts = (row.name_space, row.side, row.origin)
    return facts == (ExchangeOrder.NameSpace.PLAIN, "BUY", ExchangeOrder.Origin.FOREIGN)


def rotate(keys: Sequence[OrderKey], *, minute: int) -> list[OrderKey]:
    """`keys`, starting elsewhere each minute: with more than a cycle can look up, each still gets its turn."""
    first = minute * MAX_LOOKUPS % len(keys) if keys else 0
    return [*keys[first:], *keys[:first]]


def _new_trades_since(read: Mapping[str, int], now_ns: int) -> int | None:
    """Since the last read, whose time is known to half a second; before the first read no trade is new."""
    last = read.get(Stream.TRADES)
    return None if last is None else max(last - CLOCK_TOLERANCE_NS, now_ns - CYCLE_OVERLAP_NS)


def _windows(now_ns: int, read: Mapping[str, int]) -> dict[Stream, TimeWindow]:
    """At least the overlap, even if the cursor was set by a clock that ran ahead; at most a day."""
    end = now_ns + LOOKAHEAD_NS
    return {
        stream: TimeWindow(
            start_ns=max(end - NS_PER_DAY, min(read.get(stream, 0), now_ns) - CYCLE_OVERLAP_NS), end_ns=end
        )
        for stream in Stream
    }
