"""The daily report: every position without a stop, or that all are protected, and the buy-backs; once a local date."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from exchange.core.reasons import Reason, reason
from exchange.selectors import sync_last_success
from oco.engine.coverage import CoverageStatus, Unprotected
from oco.engine.states import State
from oco.models import Lot, OcoGroup
from oco.presentation.positions import BuyBack
from portfolio.alerts.incidents import reason_fields
from portfolio.alerts.texts import reason_param
from portfolio.dashboard.selectors import Dashboard, load_dashboard
from portfolio.models import Alert
from portfolio.status.sync_status import Freshness, SyncState

DAY = timedelta(days=1)
MAX_RELEASED_SHOWN = 50
WORKING_COVERAGE = frozenset({CoverageStatus.PROTECTED, CoverageStatus.WAITING})


def daily_alert_raise(*, now: datetime, today: bool = False) -> Alert | None:
    """Create the report if it is due, or with `today` that of today before its time; None when there is none to
    create. There is none before the first complete cycle.
    """
    zone = ZoneInfo(settings.TIME_ZONE)
    day = daily_due(now, zone, settings.ALERT_DAILY_AT, last_daily_date())
    if today and last_daily_date() != now.astimezone(zone).date():
        day = now.astimezone(zone).date()
    if day is None or sync_last_success() is None:
        return None
    alert, is_new = Alert.objects.get_or_create(
        daily_date=day,
        defaults={
            **reason_fields(daily_reason(load_dashboard(now=now))),
            "kind": Alert.Kind.DAILY,
            "dedupe_key": f"daily {day.isoformat()}",
            "raised_at": now,
            "ended_at": now,
        },
    )
    return alert if is_new else None


def last_daily_date() -> date | None:
    """The local date of the newest report."""
    newest: date | None = Alert.objects.aggregate(newest=Max("daily_date"))["newest"]
    return newest


def daily_due(now: datetime, zone: ZoneInfo, at: time, last: date | None) -> date | None:
    """The local date whose report must be created now, or None. `last` is the date of the last one.

    One that was missed is created late; of several missed ones only the newest.
    """
    day = now.astimezone(zone).date() + DAY  # clocks that were set back over midnight have seen tomorrow
    while daily_moment(day, zone, at) > now:
        day -= DAY
    return day if last is None or last < day else None


def daily_moment(day: date, zone: ZoneInfo, at: time) -> datetime:
    """The UTC time of `at` on that local date: the first of two where the clocks are set back, and right after the
    change where `at` is skipped.
    """
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _clock_change(moment, zone)


def _clock_change(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the UTC offset changed in the day before `moment`: found by halving, to the second."""
    before, after = moment - DAY, moment
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def daily_reason(dashboard: Dashboard) -> Reason:
    """The content of the report, the largest value first."""
    unprotected = sorted(dashboard.unprotected, key=lambda row: -(row.market_value_usd or Decimal(0)))
    return sum(_lines(dashboard, unprotected), _title(unprotected, dashboard.sync))


def _title(unprotected: Sequence[Unprotected], sync: SyncState) -> Reason:
    if unprotected:
        count = len({row.instrument_name for row in unprotected})  # a coin may have several parts
        return reason("DAILY_UNPROTECTED", count=count)
    # what was protected when the data was read is not called protected while it is outdated
    return reason("DAILY_OUTDATED" if _is_outdated(sync) else "DAILY_PROTECTED")


def _lines(dashboard: Dashboard, unprotected: Sequence[Unprotected]) -> Iterator[Reason]:
    if _is_outdated(dashboard.sync):
        yield reason("OUTDATED", last_success=dashboard.sync.last_success)
    if unprotected:
        yield reason("UNPROTECTED_VALUE", value=dashboard.summary.unprotected_usd)
    else:
        yield reason("NO_UNPROTECTED", count=dashboard.summary.open_groups_count - len(dashboard.buybacks))
    yield from map(_position_line, unprotected)
    released = _released_groups(unprotected)
    if released:
        yield reason("RELEASED_POSITIONS")
    yield from map(_released_line, released)
    yield from _buyback_lines(dashboard.buybacks)
    unsent = Alert.objects.filter(state=Alert.State.FAILED, acknowledged_at=None).count()
    if unsent:
        yield reason("UNSENT_ALERTS", count=unsent)


def _is_outdated(sync: SyncState) -> bool:
    return sync.status in (Freshness.OLD, Freshness.NEVER)


def _position_line(row: Unprotected) -> Reason:
    return reason(
        "UNPROTECTED_POSITION",
        instrument=row.instrument_name,
        quantity=row.quantity,
        value=row.market_value_usd,
        since=row.since,
        reason=reason_param(row.reason),
    )


def _released_groups(unprotected: Sequence[Unprotected]) -> list[OcoGroup]:
    """Released groups of what is still held without a stop (rule 10), the newest first."""
    names = {row.instrument_name for row in unprotected}
    protections = OcoGroup.objects.filter(state=State.RELEASED, lot__side=Lot.Side.BUY)
    groups = protections.filter(instrument_name__in=names)
    return list(groups.order_by("-closed_at")[:MAX_RELEASED_SHOWN])


def _released_line(group: OcoGroup) -> Reason:
    return reason(
        "RELEASED_POSITION",
        instrument=group.instrument_name,
        quantity=group.quantity,
        since=group.closed_at,
        reason=reason_param(group.stored_reason),
    )


def _buyback_lines(rows: Sequence[BuyBack]) -> Iterator[Reason]:
    """They protect no coins, so they are listed apart: how many are active, and each that is not."""
    incomplete = [row for row in rows if row.coverage_status not in WORKING_COVERAGE]
    active = len(rows) - len(incomplete)
    if active:
        yield reason("BUY_BACKS_ACTIVE", count=active)
    if incomplete:
        yield reason("BUY_BACKS_INCOMPLETE")
    yield from map(_incomplete_line, incomplete)


def _incomplete_line(row: BuyBack) -> Reason:
    return reason(
        "BUY_BACK_INCOMPLETE",
        instrument=row.group.instrument_name,
        quantity=row.quantity,
        quantity_decimals=row.quantity_decimals,
        reason=reason_param(row.group.reason),
    )
