"""Which recorded values stay as they grow old (pure): all, then the last of each hour, then of each day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

MS = timedelta(milliseconds=1)
HOUR_MS, DAY_MS = timedelta(hours=1) // MS, timedelta(days=1) // MS


@dataclass(frozen=True, slots=True)
class Step:
    """Values older than `age_ms` are thinned to one in each `width_ms`, counted from the epoch in UTC."""

    age_ms: int
    width_ms: int


HOURLY = Step(2 * DAY_MS, HOUR_MS)
DAILY = Step(90 * DAY_MS, DAY_MS)


def ripe_before(step: Step, now_ms: int) -> int:
    """Only whole hours or days are thinned: this is where the last whole one ends."""
    return (now_ms - step.age_ms) // step.width_ms * step.width_ms


def kept(moments: Iterable[int], step: Step, now_ms: int) -> set[int]:
    """Of `moments` (milliseconds) the last of each ripe stretch, and all that are not ripe."""
    end = ripe_before(step, now_ms)
    last: dict[int, int] = {}
    young = set()
    for moment in moments:
        if moment >= end:
            young.add(moment)
        else:
            stretch = moment // step.width_ms
            last[stretch] = max(moment, last.get(stretch, moment))
    return young | set(last.values())
