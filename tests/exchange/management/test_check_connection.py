"""`manage.py check_connection` in its own words."""

import pytest
from django.core.management import call_command

from exchange.schemas import NameSpace
from exchange.services.lease import lease_holder, lease_take
from tests.exchange.simulator.world import KEY, SECRET
from tests.support import no_database, worker_calls

LEASE_WAIT = "exchange.management.commands.check_connection.LEASE_WAIT_S"


def run(capsys):
    code = 0
    try:
        call_command("check_connection")
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr().out.splitlines()


def test_one_line_for_each_check(desk, capsys):
    code, lines = run(capsys)
    assert code == 0
    assert lines[0] == f"DRY_RUN with the key that ends in {KEY[-4:]}"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "✓ address",
        "✓ clock",
        "✓ key accepted",
        "✓ balance readable",
        "✓ orders readable",
        "✓ advanced orders readable",
        "✓ IP address",
        "? trading permission",
    ]


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        ({"kind": "drop_before"}, "✗ address: "),
        ({"kind": "refuse", "method": "private/*", "code": 40101}, "✗ key accepted: "),
        ({"kind": "refuse", "method": "private/*", "code": 40103}, "✗ IP address: refused"),
        ({"kind": "refuse", "method": "private/user-balance", "code": 40104}, "✗ balance readable: "),
        ({"kind": "http", "method": "private/get-open-orders", "status": 502}, "✗ orders readable: "),
        ({"kind": "garbage", "method": "private/advanced/*"}, "✗ advanced orders readable: "),
    ],
)
def test_a_failure_is_one_line_with_the_remedy_and_exit_code_1(desk, world, capsys, trouble, line):
    world.faults.add(**trouble)
    code, lines = run(capsys)
    assert code == 1
    assert any(each.startswith(line) for each in lines)
    assert len(lines) == 9
    assert KEY not in "".join(lines)
    assert SECRET not in "".join(lines)


def test_a_wrong_clock_names_the_offset(desk, world, capsys):
    world.control("clock", skew_ms=30_000)
    code, lines = run(capsys)
    assert code == 1
    assert "NTP" in lines[2]


def test_a_reason_is_told_once_in_full(desk, world, capsys):
    world.faults.add("refuse", "private/*", code=40101)
    _code, lines = run(capsys)
    told = [line for line in lines if line.startswith("✗")]
    assert sum("copied whole" in line for line in told) == 1
    assert sum(line.endswith("the same as above") for line in told) == 3


def test_a_clock_behind_an_address_that_gives_no_sense_is_not_approved(desk, world, capsys):
    world.faults.add("http", status=502)
    _code, lines = run(capsys)
    assert lines[1].startswith("✗ address")
    assert not lines[2].startswith("✓")


def test_it_keeps_the_limits_with_a_worker_that_has_just_called(desk, world, capsys, monkeypatch):
    """Three of these a tenth of a second are allowed with one key."""
    worker_calls(desk, monkeypatch, lambda client: client.open_orders(NameSpace.PLAIN))
    code, _lines = run(capsys)
    assert code == 0
    assert desk.requested.count("private/get-open-orders") == 1  # and none that was refused
    assert lease_holder() == ""


def test_a_worker_that_hangs_keeps_it_waiting_no_longer_than_that(desk, world, capsys, monkeypatch):
    monkeypatch.setattr(LEASE_WAIT, 0)
    lease = lease_take(purpose="cycle")
    assert run(capsys)[0] == 0
    assert lease_holder() == lease.holder


def test_it_works_without_a_database(desk, capsys):
    with no_database():
        assert run(capsys)[0] == 0


def test_a_cycle_waits_no_longer_than_its_time_for_a_check_that_hangs(desk, world, capsys):
    world.faults.add("delay", "private/*", seconds=4.5)
    started = world.now_ms()
    assert run(capsys)[0] == 1
    assert world.now_ms() - started <= 4 * 4_500
    assert len(desk.requested) == 5
