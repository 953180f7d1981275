"""The token of a review: good for exactly what was shown, for one person, once, and for 60 seconds.

What a person has agreed to, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from django.core import signing
from django.utils.translation import gettext as _

from exchange.fields import plain
from oco.models import UsedReview

LIFE = timedelta(seconds=60)
MOST_MOVE = Decimal("0.005")
"""A price that moved by more than this share since the review is another price."""
SALT = "oco.review"


class NotOurs(ValueError):
    """The token was not signed here, or for another person or purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What was shown to `user`. `asked` are the orders as text, `seen` what they rest on: balance or state."""

    kind: str
    user: str
    asked: Mapping[str, str]
    seen: str
    price: Decimal | None = None
    nonce: str = field(default_factory=lambda: uuid4().hex)

    @property
    def key(self) -> str:
        """Makes one group of two presses."""
        return f"review {self.nonce}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A review that came back. `is_fresh`: within its 60 seconds."""

    review: Review
    is_fresh: bool

    def why_again(self, *, seen: str, price: Decimal | None = None) -> str:
        """Why it must be looked at again before anything is sent, or nothing."""
        if not self.is_fresh:
            return _("More than 60 seconds have passed since you looked. Nothing was sent.")
        if seen != self.review.seen:
            return _("What you hold, or how it is protected, has changed since you looked. Nothing was sent.")
        if moved(self.review.price, price):
            return _("The price has moved by more than 0.5 % since you looked. Nothing was sent.")
        return ""


def moved(before: Decimal | None, now: Decimal | None) -> bool:
    """Whether the price is another one. Where none was shown none is compared; one that is gone has moved."""
    if before is None:
        return False
    return now is None or abs(now - before) > before * MOST_MOVE


def review_sign(review: Review) -> str:
    """The token for the form that sends."""
    parts = [review.kind, review.user, dict(review.asked), review.seen, _text(review.price), review.nonce]
    return signing.dumps(parts, salt=SALT, compress=True)


def review_open(token: str, *, kind: str, user: str) -> Opened:
    """The review behind a token, also when its time is over. Raises NotOurs."""
    try:
        parts, is_fresh = signing.loads(token, salt=SALT, max_age=LIFE), True
    except signing.SignatureExpired:
        parts, is_fresh = signing.loads(token, salt=SALT), False
    except signing.BadSignature as error:
        raise NotOurs("The token of this review is not ours.") from error
    shown, whose, asked, seen, price, nonce = parts
    if (shown, whose) != (kind, user):
        raise NotOurs("The token of this review is for another person or purpose.")
    known = Decimal(price) if price else None
    return Opened(Review(kind=shown, user=whose, asked=asked, seen=seen, price=known, nonce=nonce), is_fresh)


def _text(price: Decimal | None) -> str:
    return "" if price is None else plain(price)


KEPT = timedelta(days=1)
"""Far longer than a review lives: afterwards its token is refused for its age."""


def review_spend(*, nonce: str, now: datetime) -> bool:
    """Whether this review was not used before. To be called in the transaction of what was agreed to."""
    UsedReview.objects.filter(used_at__lt=now - KEPT).delete()
    _used, is_first = UsedReview.objects.get_or_create(nonce=nonce, defaults={"used_at": now})
    return is_first
