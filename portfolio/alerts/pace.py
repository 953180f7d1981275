"""How fast messages follow one another (pure): single ones first, then digests, and patience after a failure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

HOUR = timedelta(hours=1)
SINGLES = 6  # in an hour, each alert in a message of its own
SPACING = timedelta(minutes=10)  # then one digest at a time: six more in an hour
MOST_IN_A_DIGEST = 50
CLOCK_DOUBT = timedelta(minutes=1)  # between two machines that send
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVEN_UP_AFTER = timedelta(days=1)


def bundles(due: Sequence[T], sent: Sequence[datetime], now: datetime) -> list[list[T]]:
    """The messages to send now, each as the list of what it tells; `sent` are the moments of earlier ones.

    In no hour more than 12 leave, and nothing waits longer than ten minutes for its digest, unless more than a
    digest can tell is due. What left later than now, before the clock was set back, delays nothing.
    """
    recent = [moment for moment in sent if now - HOUR < moment <= now + CLOCK_DOUBT]
    room = SINGLES - len(recent)
    if len(due) <= room:
        return [[one] for one in due]
    if room > 0 or now - max(recent) >= SPACING:
        return [list(due[:MOST_IN_A_DIGEST])]
    return []


def next_try(*, attempts: int, now: datetime) -> datetime:
    """When to try again after `attempts` that failed: 1, 5, 15 minutes later, then hourly."""
    return now + BACK_OFF[min(attempts, len(BACK_OFF)) - 1]


def is_hopeless(*, first_tried_at: datetime, now: datetime) -> bool:
    """After a day it is given up, and that is said on the desk."""
    return now - first_tried_at >= GIVEN_UP_AFTER
