"""The token of a review: valid for exactly the data shown, for one user, once, and for 60 seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from django.core import signing
from django.utils.translation import gettext as _

from exchange.core.numbers import sentence_number
from exchange.fields import format_decimal
from oco.models import UsedReview

MAX_AGE = timedelta(seconds=60)
MAX_PRICE_MOVE = Decimal("0.005")  # as a ratio, since the review
SALT = "oco.review"


class InvalidReview(ValueError):
    """The token was not signed here, or is for another user or purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The data shown to `user`. `requested` are the orders as text, `seen` their basis: balance or state."""

    kind: str
    user: str
    requested: Mapping[str, str]
    seen: str
    price: Decimal | None = None
    nonce: str = field(default_factory=lambda: uuid4().hex)

    @property
    def key(self) -> str:
        """Idempotency key: pressing twice makes one group."""
        return f"review {self.nonce}"


@dataclass(frozen=True, slots=True)
class OpenedReview:
    """A submitted review. `is_fresh`: within its 60 seconds."""

    review: Review
    is_fresh: bool

    def stale_reason(self, *, seen: str, price: Decimal | None = None) -> str:
        """Why it must be reviewed again before anything is sent, or empty."""
        if not self.is_fresh:
            return _("More than 60 seconds have passed since your review. Nothing was sent.")
        if seen != self.review.seen:
            return _(
                "Your holdings, or how they are protected, have changed since your review. Nothing was sent."
            )
        if moved(self.review.price, price):
            text = _("The price has moved by more than %(percent)s %% since your review. Nothing was sent.")
            return text % {"percent": sentence_number((MAX_PRICE_MOVE * 100).normalize())}
        return ""


def moved(before: Decimal | None, now: Decimal | None) -> bool:
    """Whether the price has moved. Without a price before nothing is compared; a missing price now has moved."""
    if before is None:
        return False
    return now is None or abs(now - before) > before * MAX_PRICE_MOVE


def review_sign(review: Review) -> str:
    parts = [review.kind, review.user, dict(review.requested), review.seen, _text(review.price), review.nonce]
    return signing.dumps(parts, salt=SALT, compress=True)


def review_open(token: str, *, kind: str, user: str) -> OpenedReview:
    """The review of a token, expired or not. Raises InvalidReview."""
    try:
        parts, is_fresh = signing.loads(token, salt=SALT, max_age=MAX_AGE), True
    except signing.SignatureExpired:
        parts, is_fresh = signing.loads(token, salt=SALT), False
    except signing.BadSignature as error:
        raise InvalidReview("The token of this review is not ours.") from error
    shown, whose, requested, seen, price, nonce = parts
    if (shown, whose) != (kind, user):
        raise InvalidReview("The token of this review is for another person or purpose.")
    known = Decimal(price) if price else None
    return OpenedReview(
        Review(kind=shown, user=whose, requested=requested, seen=seen, price=known, nonce=nonce), is_fresh
    )


def _text(price: Decimal | None) -> str:
    return "" if price is None else format_decimal(price)


RETENTION = timedelta(days=1)  # much longer than MAX_AGE; after that the token is refused anyway


def review_use(*, nonce: str, now: datetime) -> bool:
    """Whether this is the first use. Call it in the same transaction as the action."""
    UsedReview.objects.filter(used_at__lt=now - RETENTION).delete()
    _used, is_first = UsedReview.objects.get_or_create(nonce=nonce, defaults={"used_at": now})
    return is_first
