"""A database belongs to one environment and one account, and refuses any other."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.models import AccountBinding
from exchange.services.runs import WrongAccount, account_bind, account_check_is_due
from tests.support import table_rows

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
UUID = "52e7c00f-1324-4ea1-9f7a-de445bde21a5"


def bind(environment="LIVE", account_uuid=UUID, key_tail="abcd", now=NOW):
    return account_bind(environment=environment, account_uuid=account_uuid, key_tail=key_tail, now=now)


def is_due(environment="LIVE", key_tail="abcd", now=NOW):
    return account_check_is_due(environment=environment, key_tail=key_tail, now=now)


def test_an_unbound_database_must_ask():
    assert is_due()


def test_bound_it_asks_once_a_day_or_for_another_key():
    bind()
    assert not is_due()
    assert not is_due(now=NOW + timedelta(hours=23))
    assert is_due(now=NOW + timedelta(hours=25))
    assert is_due(key_tail="wxyz")


def test_another_key_of_the_same_account_is_welcome():
    bind()
    bind(key_tail="wxyz", now=NOW + timedelta(hours=1))
    bound = AccountBinding.objects.get()
    assert (bound.key_tail, bound.bound_at) == ("wxyz", NOW)
    assert bound.verified_at == NOW + timedelta(hours=1)


def test_another_account_is_refused_and_nothing_changes():
    bind()
    before = table_rows(AccountBinding)
    with pytest.raises(WrongAccount, match="belongs to account other"):
        bind(account_uuid="other", key_tail="wxyz")
    assert table_rows(AccountBinding) == before


@pytest.mark.parametrize(("first", "then"), [("DRY_RUN", "LIVE"), ("LIVE", "DRY_RUN"), ("LIVE", "SANDBOX")])
def test_another_environment_is_refused_before_anything_is_asked(first, then):
    bind(environment=first)
    with pytest.raises(WrongAccount, match=f"in {first}, but this program now runs in {then}"):
        is_due(environment=then)
    with pytest.raises(WrongAccount):
        bind(environment=then)
