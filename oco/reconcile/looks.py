"""When a leg that cannot be found is absent (pure, rule 6). Unknown is neither open nor absent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

NEEDED = 2
AFTER_SENDING = timedelta(seconds=10)
AFTER_MARKET = timedelta(seconds=60)  # its nonce is dead by then: a late request can no longer execute


class Verdict(StrEnum):
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is known of a leg that was sent and is not found: `looks` healthy ones so far found nothing."""

    sent_at: datetime
    is_market: bool = False
    exists: bool = False  # the exchange answered 204: it lives, whatever a list says
    looks: int = 0


def look(search: Search, *, at: datetime, healthy: bool) -> tuple[int, Verdict]:
    """(healthy looks, verdict) after one more that found nothing. An unhealthy look proves nothing."""
    if not healthy:
        return search.looks, Verdict.UNKNOWN
    looks = search.looks + 1
    wait = AFTER_MARKET if search.is_market else AFTER_SENDING
    absent = looks >= NEEDED and at - search.sent_at >= wait and not search.exists
    return looks, Verdict.ABSENT if absent else Verdict.UNKNOWN
