"""Every five minutes: bars and signals of what is watched and held; and whatever fails, no cycle notices."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange.models import Candle, Heartbeat, Quote, SyncRun
from oco.models import OcoGroup
from portfolio import tasks
from portfolio.models import Signal
from portfolio.signals.services import market_update
from portfolio.signals.watchlist import instruments_charted, instruments_followed
from tests.factories import BalanceFactory, GroupFactory, InstrumentFactory, WatchFactory
from tests.support import queries


@pytest.fixture
def requested(monkeypatch):
    found = []
    monkeypatch.setattr("portfolio.tasks.async_task", lambda *args, **_: found.append(args[0]))
    return found


@pytest.mark.django_db
class TestFollowed:
    def test_the_watchlist_in_its_order_then_a_pair_for_each_coin_that_is_held(self):
        for name in ("BTC_USDT", "BTC_USD", "ETH_EUR", "CRO_USD"):
            InstrumentFactory(symbol=name)
        WatchFactory(instrument_name="SOL_USD")
        WatchFactory(instrument_name="CRO_USD")
        for currency in ("ETH", "BTC", "CRO", "USD"):
            BalanceFactory(currency=currency)
        BalanceFactory(currency="XRP", quantity=0)
        assert instruments_followed() == ("SOL_USD", "CRO_USD", "BTC_USD", "ETH_EUR")

    def test_what_left_the_catalogue_is_not_asked_for(self):
        InstrumentFactory(symbol="OLD_USD", tradable=False)
        WatchFactory(instrument_name="OLD_USD")
        WatchFactory(instrument_name="NEW_USD")
        assert instruments_followed() == ("NEW_USD",)

    def test_bars_are_read_for_groups_too_until_they_have_been_closed_for_a_week(self):
        GroupFactory(instrument_name="ADA_USD")
        GroupFactory(instrument_name="DOT_USD", closed=True)
        old = GroupFactory(instrument_name="LTC_USD", closed=True)
        OcoGroup.objects.filter(pk=old.pk).update(closed_at=timezone.now() - timedelta(days=8))
        assert instruments_charted(now=timezone.now()) == ("ADA_USD", "DOT_USD")

    def test_what_is_bought_back_is_followed_until_it_is(self):
        sale = {"lot__side": "SELL", "lot__quote_ccy": "USD", "lot__unit_cost": "66000"}
        GroupFactory(instrument_name="BTC_USD", **sale)
        GroupFactory(instrument_name="ETH_USD", closed=True, **sale)
        GroupFactory(instrument_name="SOL_USD")
        assert instruments_followed() == ("BTC_USD",)

    def test_five_queries_however_many(self):
        for n in range(20):
            WatchFactory(instrument_name=f"C{n}_USD")
            BalanceFactory(currency=f"C{n}")
        with queries() as statements:
            instruments_charted(now=timezone.now())
        assert len(statements) == 5


class TestUpdate:
    def test_bars_and_signals_come_without_a_lease_and_without_a_key(self, desk):
        WatchFactory()
        desk.sync_ok()
        desk.requested.clear()
        assert market_update() == "4 series read, 0 left, 4 signals changed"
        assert set(desk.requested) == {"public/get-candlestick"}
        assert Candle.objects.count() == 1200
        assert Heartbeat.objects.filter(name="signals").exists()

    def test_the_simulator_s_still_market_gives_no_signal_and_says_so(self, desk):
        WatchFactory()
        market_update()
        assert {row.reasons[0]["key"] for row in Signal.objects.all()} == {"flat"}

    def test_an_exchange_that_does_not_answer_leaves_the_cycle_alone(self, desk, world, caplog):
        WatchFactory()
        world.faults.add("drop_before", "public/get-candlestick")
        assert market_update().startswith("0 series read, 2 left")
        assert "Candles of BTC_USD (15m)" in caplog.text
        assert {row.reasons[0]["key"] for row in Signal.objects.all()} == {"no_bars"}
        assert desk.sync_ok().status == SyncRun.Status.OK

    def test_a_cycle_keeps_the_prices_of_what_is_followed_and_of_nothing_else(self, desk, world):
        WatchFactory(instrument_name="ETH_USD")
        world.deposit("BTC", "0.5")
        desk.sync_ok()
        assert {row.instrument_name for row in Quote.objects.all()} == {"BTC_USD", "ETH_USD"}
        assert Quote.objects.get(instrument_name="ETH_USD").price == world.price("ETH_USD")

    def test_prices_that_cannot_be_kept_do_not_end_the_cycle(self, desk, monkeypatch, caplog):
        def fail(**_):
            raise RuntimeError("no")

        monkeypatch.setattr("portfolio.worker.cycle.quote_record_all", fail)
        run = desk.sync()
        assert run.status == SyncRun.Status.PARTIAL
        assert run.errors == ["The prices of the watchlist could not be recorded. The log has the details."]

    def test_after_the_first_cycle_it_is_asked_for_at_once_and_later_by_the_clock(self, desk, requested):
        tasks.sync_cycle()
        assert "portfolio.tasks.read_market" in requested
        requested.clear()
        desk.tick(60)
        tasks.sync_cycle()
        assert "portfolio.tasks.read_market" not in requested
