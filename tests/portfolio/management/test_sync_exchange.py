"""`manage.py sync_exchange`: one cycle, its counts, and what its exit code says."""

import json

import pytest
from django.core.management import CommandError, call_command

from exchange.services.lease import lease_take
from tests.support import price_at_ratio

KEYS = [
    "balances",
    "open_orders",
    "executed_orders",
    "trades",
    "groups_created",
    "groups_closed",
    "requests",
    "duration_ms",
    "errors",
]


def run(capsys, *options):
    code = 0
    try:
        call_command("sync_exchange", *options)
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr()


@pytest.fixture(autouse=True)
def an_account(desk, world):
    world.deposit("BTC", 1)
    world.buy("BTC_USD", "0.01")
    world.buy("BTC_USD", "0.01", price_at_ratio(world))


def test_one_line_for_each_part(capsys):
    code, told = run(capsys)
    assert code == 0
    assert told.out.splitlines() == [
        "balances: 2",
        "open orders: 1",
        "executed orders: 1",
        "trades: 1",
        "groups created: 0",
        "groups closed: 0",
        "9 requests in 0 ms",
    ]


def test_json_is_one_object_with_the_promised_keys(capsys):
    code, told = run(capsys, "--json")
    answer = json.loads(told.out)
    assert list(answer) == KEYS
    assert (code, answer["balances"], answer["trades"], answer["errors"]) == (0, 2, 1, [])


def test_a_part_that_failed_is_told_and_is_no_failure_of_the_command(world, capsys):
    world.faults.add("garbage", "private/get-trades")
    code, told = run(capsys)
    assert code == 0
    assert "Trades: " in told.err
    assert told.out.splitlines()[0] == "PARTIAL: this cycle is incomplete (errors: 1)."
    assert "trades: not read" in told.out


def test_json_has_null_for_what_was_not_read(world, capsys):
    world.faults.add("garbage", "private/user-balance")
    code, told = run(capsys, "--json")
    answer = json.loads(told.out)
    assert list(answer) == KEYS
    assert (code, answer["balances"], answer["trades"], len(answer["errors"])) == (0, None, 1, 1)


def test_the_log_says_that_a_cycle_was_incomplete(world, capsys, caplog):
    world.faults.add("garbage", "private/user-balance")
    with caplog.at_level("INFO", logger="exchange_sync"):
        run(capsys)
    assert "Exchange sync: balances could not be read" in caplog.text
    assert "exchange sync cycle incomplete (errors: 1)" in caplog.text
    assert "completed" not in caplog.text


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "refuse", "code": 42901},
        {"kind": "garbage"},
        {"kind": "truncate", "keep": 0},
        {"kind": "http", "status": 503, "body": "html"},
    ],
)
def test_tickers_alone_are_no_account_that_answered(world, desk, capsys, trouble):
    desk.sync_ok()
    world.faults.add(**trouble, method="private/*")
    code, told = run(capsys)
    assert code == 1
    assert told.err.startswith("The account could not be read. Open orders (plain): ")
    assert told.out == ""


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ({"kind": "drop_before"}, "did not answer"),
        ({"kind": "refuse", "method": "private/*", "code": 40101}, "40101"),
        ({"kind": "refuse", "method": "private/*", "code": 40103}, "allow-list"),
        ({"kind": "maintenance"}, "9010001"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_exit_code_1_with_one_sentence(world, capsys, trouble, sentence, options):
    world.faults.add(**trouble)
    code, told = run(capsys, *options)
    assert code == 1
    errors = (
        json.loads(told.out)["errors"]
        if options
        else [line for line in told.err.splitlines() if "[" in line or "not" in line]
    )
    assert any(sentence in error for error in errors)
    assert "Traceback" not in told.err


def test_a_failure_is_told_once_and_without_zeros(world, capsys, caplog):
    world.faults.add("refuse", method="private/*", code=40101)
    _code, told = run(capsys)
    assert told.out == ""
    assert (told.err + caplog.text).count("40101") == 1


def test_exit_code_3_while_another_cycle_holds_the_lease():
    lease = lease_take(purpose="cycle")
    with pytest.raises(CommandError, match=lease.holder.split()[0]) as caught:
        call_command("sync_exchange")
    assert caught.value.returncode == 3
