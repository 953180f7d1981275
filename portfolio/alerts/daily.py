"""When the daily alert is due (pure): once per local date, whatever the clocks do there."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

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
    return _jump(moment, zone)


def _jump(moment: datetime, zone: ZoneInfo) -> datetime:
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
