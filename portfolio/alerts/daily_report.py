"""When the daily alert is due (pure): once per local date, whatever the clocks do there.

The daily alert: everything without protection, or that all of it is protected; and what is to be bought back.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.selectors import sync_last_success
from oco.engine.coverage import CoverageStatus, Unprotected
from oco.engine.states import State
from oco.models import Lot, OcoGroup
from oco.presentation.positions import BuyBack
from oco.presentation.reasons import render_reason
from portfolio.dashboard.selectors import Dashboard, load_dashboard
from portfolio.formatting import amount_text, instrument_label
from portfolio.models import Alert
from portfolio.status.sync_status import Freshness, SyncState

DAY = timedelta(days=1)


def daily_due(now: datetime, zone: ZoneInfo, at: time, last: date | None) -> date | None:
    """The local date whose daily alert must be made now, or None. `last` is the date of the last one.

    One that was missed is made late; of several missed ones only the newest.
    """
    day = now.astimezone(zone).date() + DAY  # clocks set back over midnight have seen tomorrow
    while daily_moment(day, zone, at) > now:
        day -= DAY
    return day if last is None or last < day else None


def daily_moment(day: date, zone: ZoneInfo, at: time) -> datetime:
    """When that is, in UTC. A time that exists twice counts the first time; one that does not exist, as soon
    as the clocks have jumped over it.
    """
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _clock_change(moment, zone)


def _clock_change(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the offset changed, in the day before `moment`: found by halving, to the second."""
    before, after = moment - DAY, moment
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


MAX_RELEASED_SHOWN = 50
WORKING_COVERAGE = frozenset({CoverageStatus.PROTECTED, CoverageStatus.WAITING})


def daily_alert_raise(*, now: datetime, today: bool = False) -> Alert | None:
    """Make the daily alert if it is due, or with `today` that of today before its time; None when there is none
    to make. Before the first complete cycle there is nothing to tell yet.
    """
    zone = ZoneInfo(settings.TIME_ZONE)
    day = daily_due(now, zone, settings.ALERT_DAILY_AT, last_daily_date())
    if today and last_daily_date() != now.astimezone(zone).date():
        day = now.astimezone(zone).date()
    if day is None or sync_last_success() is None:
        return None
    title, text = daily_message(load_dashboard(now=now))
    alert, is_new = Alert.objects.get_or_create(
        daily_date=day,
        defaults={
            "kind": Alert.Kind.DAILY,
            "dedupe_key": f"daily {day.isoformat()}",
            "title": title,
            "text": text,
            "raised_at": now,
            "ended_at": now,
        },
    )
    return alert if is_new else None


def last_daily_date() -> date | None:
    """The local date of the newest daily alert."""
    newest: date | None = Alert.objects.aggregate(newest=Max("daily_date"))["newest"]
    return newest


def daily_message(dashboard: Dashboard) -> tuple[str, str]:
    """Title and text, the largest value first."""
    unprotected = sorted(dashboard.unprotected, key=lambda row: -(row.market_value_usd or Decimal(0)))
    released = _released_groups(unprotected)
    parts = [_intro(dashboard, unprotected), *map(_position_line, unprotected)]
    if released:
        parts += [_("Protection removed manually and not restored:"), *map(_released_line, released)]
    parts += _buyback_lines(dashboard.buybacks)
    return _title(unprotected, dashboard.sync), "\n".join(
        [*_stale_data_warning(dashboard.sync), *parts, *_undelivered_warning()]
    )


def _title(unprotected: list[Unprotected], sync: SyncState) -> str:
    if not unprotected:
        return _("The data is old.") if _is_old(sync) else _("Everything is protected")
    count = len({row.instrument_name for row in unprotected})  # a coin may have several reasons
    return ngettext("%(count)d unprotected position", "%(count)d unprotected positions", count) % {
        "count": count
    }


def _intro(dashboard: Dashboard, unprotected: list[Unprotected]) -> str:
    if not unprotected:
        count = dashboard.summary.open_groups_count - len(dashboard.buybacks)
        return ngettext(
            "No unprotected positions: %(count)d group active.",
            "No unprotected positions: %(count)d groups active.",
            count,
        ) % {"count": count}
    return _("Without a stop, total value %(value)s:") % {"value": _usd(dashboard.summary.unprotected_usd)}


def _position_line(row: Unprotected) -> str:
    template = _("• %(name)s: %(quantity)s, worth %(value)s, since %(since)s. %(reason)s")
    return template % {
        "name": instrument_label(row.instrument_name),
        "quantity": amount_text(row.quantity),
        "value": _usd(row.market_value_usd),
        "since": _since(row.since),
        "reason": render_reason(row.reason),
    }


def _released_groups(unprotected: list[Unprotected]) -> list[OcoGroup]:
    """Released groups of what is still held without a stop (rule 10), the newest first."""
    names = {row.instrument_name for row in unprotected}
    protections = OcoGroup.objects.filter(state=State.RELEASED, lot__side=Lot.Side.BUY)
    groups = protections.filter(instrument_name__in=names)
    return list(groups.order_by("-closed_at")[:MAX_RELEASED_SHOWN])


def _released_line(group: OcoGroup) -> str:
    template = _("• %(name)s: %(quantity)s, since %(since)s. %(reason)s")
    return template % {
        "name": instrument_label(group.instrument_name),
        "quantity": amount_text(group.quantity),
        "since": _since(group.closed_at),
        "reason": render_reason(group.stored_reason),
    }


def _buyback_lines(rows: Sequence[BuyBack]) -> list[str]:
    """They guard no coins, so they are told apart: how many are at work, and each that is not."""
    not_working = [row for row in rows if row.coverage_status not in WORKING_COVERAGE]
    count, lines = len(rows) - len(not_working), list[str]()
    if count:
        template = ngettext("%(count)d buy-back is active.", "%(count)d buy-backs are active.", count)
        lines.append(template % {"count": count})
    if not_working:
        lines += [_("Sold, with no open orders buying all of it back:"), *map(_buyback_line, not_working)]
    return lines


def _buyback_line(row: BuyBack) -> str:
    return _("• %(name)s: %(quantity)s. %(reason)s") % {
        "name": instrument_label(row.group.instrument_name),
        "quantity": amount_text(row.quantity, row.quantity_decimals),
        "reason": render_reason(row.group.reason),
    }


def _is_old(sync: SyncState) -> bool:
    return sync.status in (Freshness.OLD, Freshness.NEVER)


def _stale_data_warning(sync: SyncState) -> list[str]:
    """What makes all that follows less than certain: nobody has looked since."""
    if not _is_old(sync):
        return []
    template = _("These figures are outdated: the last complete sync was %(when)s.")
    return [template % {"when": _since(sync.last_success)}]


def _undelivered_warning() -> list[str]:
    """What was never heard."""
    unsent = Alert.objects.filter(state=Alert.State.FAILED, acknowledged_at=None).count()
    if not unsent:
        return []
    template = ngettext(
        "%(count)d earlier alert could not be sent; see it in Exchange Desk.",
        "%(count)d earlier alerts could not be sent; see them in Exchange Desk.",
        unsent,
    )
    return [template % {"count": unsent}]


def _usd(value: Decimal | None) -> str:
    return _("an unknown amount") if value is None else f"${value:,.2f}"


def _since(moment: datetime | None) -> str:
    return _("unknown date") if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M %Z}"
