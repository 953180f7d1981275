"""`kill_switch`: nothing is created any more, and if asked everything is cancelled, until it is gone."""

from contextlib import ExitStack

import pytest
from django.core.management import CommandError

from exchange.models import AuditEntry, TradingSwitch
from exchange.services.lease import lease_holder, lease_take
from oco.models import OcoGroup
from oco.services.kill_switch import open_orders_read
from tests.oco.support import group, ours
from tests.support import no_database, price_at_ratio, worker_calls

COMMAND = "oco.management.commands.kill_switch"


@pytest.fixture
def answers(monkeypatch):
    """What the person types."""

    def answers(word):
        monkeypatch.setattr("builtins.input", lambda _prompt: word)

    return answers


def test_on_off_and_status(desk, run):
    assert run("kill_switch", "status") == "Trading is on.\n"
    assert "Kill switch turned on by " in run("kill_switch", "on")
    assert "Kill switch turned on by " in run("kill_switch", "status")
    assert TradingSwitch.objects.get().is_off
    assert run("kill_switch", "off") == "Trading is on.\n"


def test_what_rests_stays(desk, world, held, run):
    run("kill_switch", "on")
    desk.sync_ok()
    assert (group().state, len(world.open_orders())) == ("ACTIVE", 2)


def test_it_says_what_it_leaves_naked_before_it_asks(desk, world, held, run, answers):
    answers("no")
    with pytest.raises(CommandError, match=r"Nothing was cancelled\. The kill switch stays on\."):
        run("kill_switch", "on", "--cancel-all")
    assert (len(world.open_orders()), TradingSwitch.objects.get().is_off) == (2, True)


def test_everything_goes_in_both_name_spaces(desk, world, held, run, answers):
    world.buy("ETH_USD", "1", price_at_ratio(world, "ETH_USD"))
    answers("cancel")
    said = run("kill_switch", "on", "--cancel-all")
    worth = world.price("BTC_USD") / 100
    assert "This cancels 3 open orders, stops included." in said
    assert f"It leaves without a stop: 0.01000 BTC worth ${worth:,.2f}." in said
    assert "No order is open in either name space." in said
    assert (world.open_orders(), lease_holder()) == ([], "")


def test_a_pair_counts_its_coins_once(desk, world, held, run):
    assert "stop: 0.01000 BTC worth" in run("kill_switch", "on", "--cancel-all", "--yes")


def test_nothing_comes_back_not_even_when_trading_is_on_again(desk, world, held, run):
    run("kill_switch", "on", "--cancel-all", "--yes")
    desk.sync_ok()
    assert group().state == "RELEASED"
    run("kill_switch", "off")
    desk.sync_ok()
    assert (world.open_orders(), OcoGroup.objects.count()) == ([], 1)


def test_a_replacement_that_has_begun_is_not_finished_after_all(desk, world, held, run):
    world.fill(next(order for order in ours(world) if order.order_type == "LIMIT"), "0.004")
    world.set_behaviour(cancel_delay_ms=30_000)
    desk.sync_ok()
    run("kill_switch", "on", "--cancel-all", "--yes")
    for _ in range(2):
        desk.sync_ok()
    assert (world.open_orders(), group().state) == ([], "RELEASED")


def test_cancels_that_take_their_time_are_waited_for(desk, world, held, run):
    world.set_behaviour(cancel_delay_ms=7_000)
    assert "No order is open" in run("kill_switch", "on", "--cancel-all", "--yes")
    assert world.open_orders() == []


def test_an_order_that_stays_is_said_and_is_a_failure(desk, world, held, run):
    world.set_behaviour(cancel_delay_ms=3_600_000)
    with pytest.raises(CommandError, match="Not every order is gone") as failure:
        run("kill_switch", "on", "--cancel-all", "--yes")
    assert (failure.value.returncode, lease_holder()) == (1, "")


def test_nobody_to_type_is_no(desk, world, held, run, monkeypatch):
    def nobody(_prompt):
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CommandError, match="Nothing was cancelled"):
        run("kill_switch", "on", "--cancel-all")


def test_cancel_all_only_goes_with_on(desk, run):
    with pytest.raises(CommandError, match="kill_switch on"):
        run("kill_switch", "off", "--cancel-all")


def test_an_exchange_that_does_not_answer_does_not_keep_the_switch_from_being_set(desk, world, run):
    desk.sync_ok()
    world.faults.add("drop_before")
    with pytest.raises(CommandError, match="Not every order is gone"):
        run("kill_switch", "on", "--cancel-all", "--yes")
    assert TradingSwitch.objects.get().is_off


def test_everything_goes_without_a_database(desk, world, held, run, settings, tmp_path):
    settings.KILL_SWITCH_FILES = [tmp_path / "desk.kill_switch"]
    with no_database():
        said = run("kill_switch", "on", "--cancel-all", "--yes")
    assert world.open_orders() == []
    assert "no group is released" in said
    desk.sync_ok()
    assert (world.open_orders(), TradingSwitch.objects.get().is_off) == ([], True)


def test_a_database_that_fails_in_the_middle_does_not_stop_it(desk, world, held, run, monkeypatch):
    monkeypatch.setattr(f"{COMMAND}.release_all_groups", lambda **_: broken.enter_context(no_database()))
    with ExitStack() as broken:
        run("kill_switch", "on", "--cancel-all", "--yes")
    assert world.open_orders() == []


def test_a_cycle_that_does_not_end_does_not_stop_it(desk, world, held, run, monkeypatch):
    monkeypatch.setattr(f"{COMMAND}.LEASE_WAIT_S", 0)
    lease = lease_take(purpose="cycle")
    run("kill_switch", "on", "--cancel-all", "--yes")
    assert (world.open_orders(), lease_holder()) == ([], lease.holder)
    assert AuditEntry.objects.filter(what=AuditEntry.Action.CANCEL_ALL, result="ACCEPTED").exists()


def test_it_keeps_the_limits_with_a_worker_that_has_just_called(desk, world, held, run, monkeypatch):
    """Three of these a tenth of a second are allowed with one key."""
    worker_calls(desk, monkeypatch, open_orders_read)
    said = run("kill_switch", "on", "--cancel-all", "--yes")
    assert "42901" not in said
    assert (
        desk.requested.count("private/get-open-orders") == 4
    )  # one to report, three checks; none was refused


def test_what_it_leaves_without_a_stop_is_not_waited_for_long(desk, world, held, run, answers):
    answers("no")
    world.faults.add("delay", "private/*", seconds=10.5)
    started = world.now_ms()
    with pytest.raises(CommandError, match="Nothing was cancelled"):
        run("kill_switch", "on", "--cancel-all")
    assert world.now_ms() - started <= 10_500
