"""A decimal column keeps every digit, on SQLite and on PostgreSQL alike."""

from decimal import Decimal

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from exchange.fields import ExactDecimalField, format_decimal
from portfolio.models import Balance
from tests.factories import BalanceFactory

BEYOND_FLOAT = Decimal("12345678901234567890.12345678901234567890")
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)


class EveryDigit(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(amount=AMOUNTS)
    def test_any_amount_comes_back_as_it_went(self, amount):
        BalanceFactory(currency="ANY", quantity=amount, market_value_usd=None)
        assert Balance.objects.get(currency="ANY").quantity == amount

    @settings(max_examples=60, deadline=None)
    @given(amounts=st.lists(AMOUNTS, min_size=1, max_size=5))
    def test_in_bulk_too(self, amounts):
        rows = [
            BalanceFactory.build(currency=f"C{n}", quantity=each, price_usd=None)
            for n, each in enumerate(amounts)
        ]
        Balance.objects.bulk_create(rows)
        for row in rows:
            row.price_usd, row.quantity = row.quantity, Decimal(7)
        Balance.objects.bulk_update(rows, ["price_usd", "quantity"])
        stored = {row.currency: row for row in Balance.objects.filter(currency__startswith="C")}
        assert [stored[row.currency].price_usd for row in rows] == amounts
        assert {row.quantity for row in stored.values()} == {Decimal(7)}

    @settings(max_examples=60, deadline=None)
    @given(amount=AMOUNTS, zeros=st.integers(0, 5))
    def test_a_number_is_found_however_many_zeros_it_ends_in(self, amount, zeros):
        BalanceFactory(currency="ANY", quantity=amount, market_value_usd=None)
        written = Decimal(
            f"{format_decimal(amount)}{'' if '.' in format_decimal(amount) else '.'}{'0' * zeros}"
        )
        assert written == amount
        assert Balance.objects.filter(currency="ANY", quantity=written).exists()
        assert not Balance.objects.filter(currency="ANY", quantity=amount + 10**30).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["0.10000000", "1.00", "0", "0.000000000000000001", str(BEYOND_FLOAT)])
def test_trailing_zeros_are_kept(text):
    BalanceFactory(currency="ANY", quantity=Decimal(text))
    assert format_decimal(Balance.objects.get(currency="ANY").quantity) == text


@pytest.mark.django_db
def test_the_database_holds_digits_and_no_float():
    BalanceFactory(currency="ANY", quantity=BEYOND_FLOAT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT quantity FROM portfolio_balances")
        assert str(cursor.fetchone()[0]) == str(BEYOND_FLOAT)


@pytest.mark.django_db
def test_unknown_is_null_and_can_be_asked_for():
    BalanceFactory(currency="NEW", price_usd=None)
    assert Balance.objects.get(price_usd__isnull=True).price_usd is None
    assert Balance.objects.get(price_usd=None).currency == "NEW"


@pytest.mark.django_db
@pytest.mark.parametrize("question", ["quantity__gt", "quantity__lte", "quantity__contains"])
def test_comparing_by_size_is_refused_since_sqlite_would_compare_texts(question):
    with pytest.raises(FieldError):
        Balance.objects.filter(**{question: Decimal(1)}).exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+5", "100000"), ("1E-8", "0.00000001"), ("-0", "0"), ("0.50", "0.50"), ("-1.5", "-1.5")],
)
def test_plain_digits_never_have_an_exponent(value, text):
    assert format_decimal(Decimal(value)) == text


def test_words_are_not_numbers():
    with pytest.raises(ValidationError):
        ExactDecimalField().to_python("a lot")


def test_fixtures_carry_plain_digits():
    row = BalanceFactory.build(quantity=Decimal("1E-8"), price_usd=None)
    field = Balance._meta.get_field("quantity")
    assert field.value_to_string(row) == "0.00000001"
    assert Balance._meta.get_field("price_usd").value_to_string(row) == ""
