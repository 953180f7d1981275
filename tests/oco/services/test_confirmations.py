"""The token of a review."""

from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from oco.models import UsedReview
from oco.services.confirmations import InvalidReview, Review, moved, review_open, review_sign, review_use

D = Decimal


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-08-01 12:00:00+00:00", tick=False) as traveller:
        yield traveller


def shown(**changes):
    usual = {
        "kind": "protect",
        "user": "7",
        "requested": {"quantity": "0.10"},
        "seen": "0.10",
        "price": D("60000.00"),
    }
    return Review(**(usual | changes))


def opened(review, **changes):
    return review_open(review_sign(review), **({"kind": "protect", "user": "7"} | changes))


def test_it_comes_back_as_it_was_shown():
    review = shown()
    assert opened(review).review == review
    assert review.key != shown().key


def test_it_is_good_for_sixty_seconds(clock):
    token = review_sign(shown())
    clock.shift(60)
    assert review_open(token, kind="protect", user="7").is_fresh
    clock.shift(1)
    late = review_open(token, kind="protect", user="7")
    assert not late.is_fresh
    assert "60 seconds" in late.stale_reason(seen="0.10", price=D(60000))


@pytest.mark.parametrize("other", [{"kind": "cancel"}, {"user": "8"}])
def test_it_is_for_one_person_and_one_purpose(other):
    with pytest.raises(InvalidReview):
        opened(shown(), **other)


def test_a_changed_token_is_not_ours():
    token = review_sign(shown())
    with pytest.raises(InvalidReview):
        review_open(token[:-1] + ("A" if token[-1] != "A" else "B"), kind="protect", user="7")


def test_it_says_what_has_changed():
    review = opened(shown())
    assert review.stale_reason(seen="0.10", price=D(60000)) == ""
    assert "Your holdings" in review.stale_reason(seen="0.09", price=D(60000))
    assert "0.5 %" in review.stale_reason(seen="0.10", price=D(61000))


@pytest.mark.parametrize(
    ("before", "now", "has_moved"),
    [
        ("100", "100.5", False),
        ("100", "100.51", True),
        ("100", "99.49", True),
        ("100", None, True),
        (None, "1", False),
    ],
)
def test_half_a_percent_is_the_same_price(before, now, has_moved):
    assert moved(before and D(before), now and D(now)) is has_moved


@pytest.mark.django_db
def test_it_is_spent_once_and_forgotten_after_a_day(clock):
    now = timezone.now()
    assert [review_use(nonce="a", now=now), review_use(nonce="a", now=now)] == [True, False]
    clock.shift(86_401)
    review_use(nonce="b", now=timezone.now())
    assert list(UsedReview.objects.values_list("nonce", flat=True)) == ["b"]
