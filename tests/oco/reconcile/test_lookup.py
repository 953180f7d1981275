"""When a leg that nobody finds is absent (rule 6)."""

from datetime import UTC, datetime, timedelta

import pytest

from oco.reconcile.lookup import LookupState, LookupVerdict, evaluate_lookup

SENT = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


def seen(seconds, *, looks=1, healthy=True, **changes):
    lookup = LookupState(sent_at=SENT, looks=looks, **changes)
    return evaluate_lookup(lookup, at=SENT + timedelta(seconds=seconds), healthy=healthy)


def test_one_look_proves_nothing():
    assert seen(3600, looks=0) == (1, LookupVerdict.UNKNOWN)


@pytest.mark.parametrize(("seconds", "verdict"), [(9, LookupVerdict.UNKNOWN), (10, LookupVerdict.ABSENT)])
def test_the_second_comes_at_least_ten_seconds_after_sending(seconds, verdict):
    assert seen(seconds) == (2, verdict)


@pytest.mark.parametrize(("seconds", "verdict"), [(59, LookupVerdict.UNKNOWN), (60, LookupVerdict.ABSENT)])
def test_a_sale_at_the_market_waits_until_its_nonce_is_dead(seconds, verdict):
    assert seen(seconds, is_market=True) == (2, verdict)


def test_a_failed_look_is_none():
    assert seen(3600, healthy=False) == (1, LookupVerdict.UNKNOWN)


def test_what_the_exchange_says_exists_is_never_absent():
    assert seen(3600, looks=50, exists=True) == (51, LookupVerdict.UNKNOWN)
