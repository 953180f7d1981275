"""The catalogue is kept as read; what is gone from it stays and cannot be traded."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchange.models import Instrument
from exchange.schemas import Instrument as Told
from exchange.services.lease import LeaseLost, lease_take
from exchange.sync.market_data import (
    catalogue_is_current,
    instrument_record_all,
    instruments_read_again,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def told(symbol="SHIB_USD", **changes):
    row = {
        "symbol": symbol,
        "inst_type": "CCY_PAIR",
        "display_name": symbol.replace("_", "/"),
        "base_ccy": symbol.split("_")[0],
        "quote_ccy": "USD",
        "quote_decimals": 9,
        "quantity_decimals": 0,
        "price_tick_size": "0.000000001",
        "qty_tick_size": "10000",
        "tradable": True,
    }
    return Told.from_row(row | changes)


def test_the_grid_is_kept_exactly():
    instrument_record_all(instruments=[told()], now=NOW)
    kept = Instrument.objects.get()
    assert (kept.price_tick_size, kept.qty_tick_size) == (Decimal("1E-9"), Decimal(10_000))
    assert (kept.base_ccy, kept.tradable, kept.read_at) == ("SHIB", True, NOW)


def test_a_change_is_taken_over():
    instrument_record_all(instruments=[told()], now=NOW)
    later = NOW + timedelta(days=1)
    instrument_record_all(instruments=[told(qty_tick_size="1")], now=later)
    assert (Instrument.objects.get().qty_tick_size, Instrument.objects.get().read_at) == (1, later)


def test_what_is_gone_stays_and_cannot_be_traded():
    instrument_record_all(instruments=[told(), told("OLD_USD")], now=NOW)
    instrument_record_all(instruments=[told()], now=NOW + timedelta(days=1))
    assert dict(Instrument.objects.values_list("symbol", "tradable")) == {"SHIB_USD": True, "OLD_USD": False}


def test_a_symbol_told_twice_is_one_row():
    assert instrument_record_all(instruments=[told(), told(quote_decimals=7)], now=NOW) == 1
    assert Instrument.objects.get().quote_decimals == 7


def test_a_thousand_instruments():
    assert instrument_record_all(instruments=[told(f"C{n}_USD") for n in range(1100)], now=NOW) == 1100
    assert Instrument.objects.count() == 1100


class StubBudget:
    def __init__(self, *instruments):
        self.answer = list(instruments)

    def instruments(self):
        return self.answer


def test_read_again_names_what_is_new_or_changed():
    lease = lease_take(purpose="test")
    instrument_record_all(instruments=[told(), told("PEPE_USD"), told("OLD_USD")], now=NOW)
    budget = StubBudget(told(qty_tick_size="1"), told("PEPE_USD"), told("NEW_USD"))
    changed = instruments_read_again(budget=budget, lease=lease, now=NOW + timedelta(minutes=1))
    assert changed == {"SHIB_USD", "NEW_USD", "OLD_USD"}  # the last one is not tradable any more
    assert Instrument.objects.get(symbol="SHIB_USD").qty_tick_size == 1


def test_an_empty_catalogue_changes_nothing():
    instrument_record_all(instruments=[told()], now=NOW)
    lease = lease_take(purpose="test")
    assert instruments_read_again(budget=StubBudget(), lease=lease, now=NOW) == frozenset()
    assert Instrument.objects.get().tradable


def test_nothing_is_stored_without_the_lease():
    lease = lease_take(purpose="test")
    lease.release()
    with pytest.raises(LeaseLost):
        instruments_read_again(budget=StubBudget(told()), lease=lease, now=NOW)
    assert not Instrument.objects.exists()


PERPETUAL = {"inst_type": "PERPETUAL_SWAP"}


def read(seconds, **changes):
    """One more answer; the type that is stored then."""
    instrument_record_all(instruments=[told(**changes)], now=NOW + timedelta(seconds=seconds))
    return Instrument.objects.get().inst_type


def test_another_type_counts_when_two_answers_agree():
    assert [read(0), read(60, **PERPETUAL), read(69, **PERPETUAL)] == ["CCY_PAIR"] * 3
    assert not catalogue_is_current(now=NOW + timedelta(seconds=120))
    assert read(70, **PERPETUAL) == "PERPETUAL_SWAP"
    assert catalogue_is_current(now=NOW + timedelta(seconds=120))


def test_an_answer_that_agrees_with_what_is_known_ends_the_doubt():
    for seconds, changes in ((0, {}), (60, PERPETUAL), (120, {}), (180, PERPETUAL)):
        assert read(seconds, **changes) == "CCY_PAIR"


def test_the_type_that_the_name_says_counts_at_once():
    assert [read(0, **PERPETUAL), read(60)] == ["PERPETUAL_SWAP", "CCY_PAIR"]


def test_since_when_the_rules_are_as_they_are():
    moments = []
    for seconds, changes in ((0, {}), (60, {}), (120, {"qty_tick_size": "1"}), (180, {"qty_tick_size": "1"})):
        read(seconds, **changes)
        moments.append((Instrument.objects.get().rules_since - NOW).seconds)
    assert moments == [0, 0, 120, 120]


@pytest.mark.parametrize("told_again", [True, False])
def test_that_one_is_not_tradable_any_more_is_asked_about_once_more(told_again):
    instrument_record_all(instruments=[told(), told("OLD_USD")], now=NOW)
    answers = [told(), *([told("OLD_USD", tradable=False)] if told_again else [])]
    current = []
    for seconds in (60, 120):
        instrument_record_all(instruments=answers, now=NOW + timedelta(seconds=seconds))
        current.append(catalogue_is_current(now=NOW + timedelta(seconds=seconds + 60)))
    assert (current, Instrument.objects.get(symbol="OLD_USD").tradable) == ([False, True], False)
