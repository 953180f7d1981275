"""Coins that come or go without a trade are told, once, when that has lasted; trades never are."""

from decimal import Decimal as D

import pytest

from exchange.models import HistoryRange
from exchange.models.sync import Stream
from exchange.sync.backfill import history_slice
from portfolio.accounting.cost_basis import Fill
from portfolio.accounting.services import drift_add_fills
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert, CoinDrift, CostCursor
from tests.factories import HistoryRangeFactory
from tests.support import price_at_ratio, queries, write_statements

DAY = 86_400


@pytest.fixture
def known(desk, world):
    """The desk knows the account: 10,000 USD, 2 BTC and nothing that moves."""
    world.deposit("BTC", 2)
    desk.sync_ok()
    desk.sync_ok()
    return desk


def told():
    return list(Alert.objects.order_by("id").values_list("kind", flat=True))


def pass_by(desk, cycles=4):
    for _ in range(cycles):
        desk.sync_ok()
    return told()


def test_a_withdrawal_is_told_when_it_has_lasted(known, world):
    world.withdraw("BTC", "0.5")
    known.sync_ok()
    assert told() == []
    known.sync_ok()
    alert = Alert.objects.get()
    worth = f"0.5 BTC (about ${D('0.5') * world.price('BTC_USD'):,.2f}) with no matching fill"
    assert (alert.kind, alert_title(alert)) == ("DRIFT", "BTC: unexplained balance decrease")
    assert worth in alert_text(alert)
    assert "If this was not you" in alert_text(alert)
    assert alert.ended_at is None
    assert pass_by(known) == ["DRIFT"]


def test_all_of_a_coin_may_leave(known, world):
    world.withdraw("BTC", 2)
    assert pass_by(known) == ["DRIFT"]
    assert "2 BTC (about $" in alert_text(Alert.objects.get())


@pytest.mark.parametrize("currency", ["BTC", "ETH", "USD"])
def test_a_deposit_is_told_also_of_cash_and_of_a_coin_that_was_never_here(known, world, currency):
    world.deposit(currency, 30)
    assert pass_by(known) == ["DRIFT"]
    assert f" by 30 {currency} (about $" in alert_text(Alert.objects.get())


def test_a_protected_departure_is_named_as_the_same(known, world, settings):
    settings.AUTO_PROTECT = True
    world.buy("ETH_USD", "1", fee_instrument_name="USD")
    known.sync_ok()
    world.withdraw("ETH", 1, force=True)
    kinds = pass_by(known)
    assert sorted(kinds) == ["CLOSED", "DRIFT"]
    assert "has the same cause" in alert_text(Alert.objects.get(kind="DRIFT"))


def test_each_change_is_told(known, world):
    world.withdraw("BTC", "0.5")
    pass_by(known)
    world.withdraw("BTC", "0.25")
    pass_by(known)
    assert [alert_text(alert).split()[3] for alert in Alert.objects.order_by("id")] == ["0.5", "0.25"]


def test_what_comes_back_is_well_again(known, world):
    world.withdraw("BTC", "0.5")
    pass_by(known)
    world.deposit("BTC", "0.5")
    assert pass_by(known) == ["DRIFT", "WELL"]
    assert not Alert.objects.filter(ended_at=None).exists()
    world.withdraw("BTC", "0.5")
    assert pass_by(known) == ["DRIFT", "WELL", "DRIFT"]


def test_what_comes_back_at_once_is_nothing(known, world):
    world.withdraw("BTC", "0.5")
    known.sync_ok()
    world.deposit("BTC", "0.5")
    assert pass_by(known) == []


def test_less_than_a_dollar_is_nothing_until_it_adds_up(known, world):
    world.deposit("USD", "0.6")
    assert pass_by(known) == []
    world.deposit("USD", "0.6")
    assert pass_by(known) == ["DRIFT"]
    assert " by 1.2 USD " in alert_text(Alert.objects.get())


def test_a_coin_without_a_price_counts_whatever_it_is(known, world):
    world.deposit("NOPRICE", "0.01")
    for _ in range(4):  # incomplete while the coin is in no market
        known.sync()
    assert sorted(told()) == ["DRIFT", "INSTRUMENT"]
    assert " by 0.01 NOPRICE " in alert_text(Alert.objects.get(kind="DRIFT"))


@pytest.mark.parametrize("fee", [{}, {"fee_instrument_name": "USD"}, {"fee_instrument_name": "USDT"}])
def test_trades_and_their_fees_are_nothing(known, world, fee):
    world.deposit("USDT", 1000)
    pass_by(known)
    Alert.objects.all().delete()
    world.buy("BTC_USD", "0.013", **fee)  # a fee in bitcoin, where nothing else is said
    known.sync_ok()
    world.sell("BTC_USD", "1.5", **fee)  # more than was ever bought
    order = world.buy("ETH_USD", "1", price_at_ratio(world, "ETH_USD"), **fee)
    known.sync_ok()
    world.fill(order, "0.3333")
    known.sync_ok()
    world.fill(order)
    assert pass_by(known) == []


def test_every_minute_a_trade_at_the_moment_of_the_look(known, world):
    """Neither is a trade taken for a transfer, nor does one hide the other for ever."""
    world.faults.add("stale", "private/user-balance", age_s=3)
    for n in range(6):
        world.tick(59)
        world.buy("BTC_USD", "0.01")
        if n == 1:
            world.withdraw("BTC", 1)
        known.sync(1)
    assert told() == []
    assert pass_by(known) == ["DRIFT"]
    assert " by 1 BTC " in alert_text(Alert.objects.get())


def test_an_execution_listed_a_cycle_later_is_nothing(known, world):
    for _ in range(4):
        world.buy("BTC_USD", "0.01")
        known.tick(1)
        world.faults.add("stale", "private/get-trades", age_s=30)
        known.sync(20)
        world.faults.clear()
        known.sync(50)
    assert pass_by(known) == []


def test_history_read_backwards_is_nothing(desk, world):
    world.deposit("USD", 100_000)
    for _ in range(5):
        world.buy("BTC_USD", "0.1")
        world.tick(2 * DAY)
    desk.sync_ok()
    while not history_slice(seconds=60):
        desk.tick(1)
    assert pass_by(desk) == []


def test_after_an_absence_it_waits_for_the_history(known, world):
    while not history_slice(seconds=60):
        known.tick(1)
    for _ in range(3):
        world.buy("BTC_USD", "0.01")
        world.tick(2 * DAY)
    world.withdraw("BTC", 1)
    assert pass_by(known) == []
    assert HistoryRange.objects.filter(stream=Stream.TRADES, done_at=None).exists()
    while not history_slice(seconds=60):
        known.tick(1)
    assert pass_by(known) == ["DRIFT"]
    assert " by 1 BTC " in alert_text(Alert.objects.get())


def test_an_open_stretch_from_before_the_first_look_hinders_nothing(known, world):
    since = CostCursor.objects.get().compared_since_ns
    HistoryRangeFactory(stream=Stream.TRADES, end_ns=since - 1, done_at=None)
    world.withdraw("BTC", 1)
    assert pass_by(known) == ["DRIFT"]


@pytest.mark.parametrize("part", ["private/get-trades", "public/get-tickers", "private/user-balance"])
def test_only_complete_cycles_count(known, world, part):
    world.withdraw("BTC", 1)
    known.sync_ok()
    world.faults.add("garbage", part)
    for _ in range(3):
        known.sync()
    assert "DRIFT" not in told()
    world.faults.clear()
    known.sync_ok()
    assert "DRIFT" in told()


def test_a_trade_just_before_the_first_look_is_nothing(desk, world):
    world.tick(58)
    world.buy("BTC_USD", "0.01")
    world.faults.add("stale", "private/user-balance", age_s=4)
    desk.sync(2)
    world.faults.clear()
    assert pass_by(desk) == []
    world.withdraw("BTC", "0.005")
    assert pass_by(desk) == ["DRIFT"]


def test_dollars_are_not_compared_while_a_perpetual_is_open(known, world):
    held = {"instrument_name": "ETHUSD-PERP", "quantity": "1", "entry_price": "3000"}
    world.control("position", **held)
    pass_by(known)
    world.deposit("USD", 50)  # funding, say
    pass_by(known)
    assert "DRIFT" not in told()
    world.withdraw("BTC", 1)
    pass_by(known)
    assert told().count("DRIFT") == 1


def test_after_a_trade_of_a_derivative_dollars_are_learnt_again(known):
    since = CostCursor.objects.get().compared_since_ns
    drift_add_fills(fills=[(since + 1, "ETHUSD-PERP", [])], since_ns=since)
    assert CoinDrift.objects.get(currency="USD").known is None
    pass_by(known)
    assert CoinDrift.objects.get(currency="USD").known == 10_000


def fill(name):
    return Fill(
        instrument_name=name, side="BUY", quantity=D(1), price=D(2), fee=D("-0.1"), fee_currency="USD"
    )


def test_nothing_is_counted_before_the_first_look(db):
    drift_add_fills(fills=[(5, "CRO_USD", [])], since_ns=None)
    assert not CoinDrift.objects.exists()


def test_a_quiet_cycle_reads_once_and_writes_nothing(known, world):
    counts = []
    for coins in ([], ["ETH", "SOL", "XRP", "CRO", "DOGE"]):
        for each in coins:
            world.deposit(each, 100)
        pass_by(known, 3)
        with queries() as statements:
            known.sync_ok()
        counts.append(sum("portfolio_drifts" in sql for sql in statements))
        assert [sql for sql in write_statements(statements) if "drift" in sql] == []
    assert counts == [1, 1]


def test_what_moves_costs_the_same_for_one_coin_and_for_many(known, world):
    counts = []
    for coins in (["ETH"], ["SOL", "XRP", "CRO", "DOGE"]):
        for each in coins:
            world.deposit(each, 100)
        with queries() as statements:
            known.sync_ok()
        counts.append(len(statements))
        pass_by(known)
    assert counts[0] == counts[1]
