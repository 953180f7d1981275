"""What a person has agreed to, once."""

from datetime import datetime, timedelta

from oco.review import UsedReview

KEPT = timedelta(days=1)
"""Far longer than a review lives: afterwards its token is refused for its age."""


def review_spend(*, nonce: str, now: datetime) -> bool:
    """Whether this review was not used before. To be called in the transaction of what was agreed to."""
    UsedReview.objects.filter(used_at__lt=now - KEPT).delete()
    _used, is_first = UsedReview.objects.get_or_create(nonce=nonce, defaults={"used_at": now})
    return is_first
