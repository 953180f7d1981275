"""A fill is kept once, exactly as charged."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps

from exchange.models import Trade, UnreadableRow
from exchange.schemas import NameSpace
from exchange.sync.orders import order_record_all
from exchange.sync.trades import trade_record_all
from tests.support import queries, wire_order, wire_trade, write_statements

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def test_a_fill_is_kept_as_told():
    trade_record_all(trades=[wire_trade(fees="-0.00000000000001")], now=NOW)
    kept = Trade.objects.get()
    assert (kept.quantity, kept.price, kept.fee) == (Decimal(2), Decimal("100.00"), Decimal("-1E-14"))
    assert (kept.fee_currency, kept.create_time_ns) == ("BTC", 1_785_587_000_123_456_789)
    assert kept.traded_at == datetime(2026, 8, 1, 12, 23, 20, 123_000, tzinfo=UTC)
    assert kept.first_seen_at == NOW


def test_a_fill_counts_once_whichever_order_id_it_carries():
    first = trade_record_all(trades=[wire_trade(), wire_trade()], now=NOW)
    again = trade_record_all(trades=[wire_trade(order_id="9")], now=NOW)
    assert (len(first), again, Trade.objects.count()) == (1, [], 1)
    assert Trade.objects.get().order_id == "5755600460443882762"


def test_known_fills_are_not_written_again():
    trade_record_all(trades=[wire_trade()], now=NOW)
    with queries() as statements:
        trade_record_all(trades=[wire_trade()], now=NOW)
    assert write_statements(statements) == []


def test_many_fills_at_once():
    trades = [wire_trade(trade_id=str(n)) for n in range(1200)]
    assert len(trade_record_all(trades=trades, now=NOW)) == 1200
    assert Trade.objects.count() == 1200


def test_odd_words_fit_their_columns():
    trade_record_all(trades=[wire_trade(taker_side="SOMETHING-LONGER", match_count=10**12)], now=NOW)
    assert (Trade.objects.get().taker_side, Trade.objects.get().match_count) == ("SOMETHIN", None)


def record_order(**changes):
    space = NameSpace(changes.pop("name_space", "PLAIN"))
    order_record_all(orders=[wire_order(name_space=space, **changes)], now=NOW)


def owner(trade_id):
    order = Trade.objects.get(trade_id=trade_id).resolved_order
    return order and (order.name_space, order.order_id)


def fill(order_id, trade_id="1", **changes):
    trade_record_all(trades=[wire_trade(trade_id=trade_id, order_id=order_id, **SAME, **changes)], now=NOW)


SAME = {"instrument_name": "BTC_USD", "side": "SELL"}
STOP = {"name_space": "ADVANCED", "order_id": "7", "exchange_order_id": "70", **SAME}


@pytest.mark.parametrize("order_id", ["7", "70"])
def test_a_fill_belongs_to_the_order_of_either_id_whichever_comes_first(order_id):
    fill(order_id, "1")
    assert owner("1") is None
    record_order(**STOP)
    fill(order_id, "2")
    assert owner("1") == owner("2") == ("ADVANCED", "7")


def test_an_order_that_gets_a_second_id_finds_its_fill():
    fill("70")
    record_order(**{**STOP, "exchange_order_id": ""})
    assert owner("1") is None
    record_order(**STOP)
    assert owner("1") == ("ADVANCED", "7")


@pytest.mark.parametrize("false", [{"instrument_name": "ETH_USD"}, {"side": "BUY"}])
def test_an_order_that_was_told_as_another_finds_its_fill(false):
    record_order(order_id="7", **{**SAME, **false})
    fill("7")
    assert owner("1") is None
    record_order(order_id="7", **SAME)
    assert owner("1") == ("PLAIN", "7")


def test_a_fill_moves_from_the_plain_duplicate_to_the_advanced_order():
    record_order(order_id="70", **SAME)
    fill("70")
    assert owner("1") == ("PLAIN", "70")
    record_order(**STOP)
    assert owner("1") == ("ADVANCED", "7")


@pytest.mark.parametrize("other", [{"instrument_name": "ETH_USD"}, {"side": "BUY"}])
def test_an_id_alone_proves_nothing(other):
    record_order(**{**STOP, **other})
    fill("7")
    fill("70", "2")
    assert owner("1") is owner("2") is None


def test_a_link_stays_and_is_not_written_again():
    record_order(**STOP)
    fill("70", "1")
    with queries() as statements:
        record_order(order_id="8", **SAME)
        record_order(**STOP)
    assert owner("1") == ("ADVANCED", "7")
    assert not any('UPDATE "exchange_trades"' in statement for statement in statements)


def test_the_migration_links_what_is_stored():
    record_order(**STOP)
    record_order(order_id="9", **SAME)
    for trade_id, order_id in (("1", "7"), ("2", "70"), ("3", "9"), ("4", "unknown")):
        fill(order_id, trade_id)
    Trade.objects.update(resolved_order=None)
    migration = import_module("exchange.migrations.0011_resolve_trade_orders")
    migration.trade_orders_resolve(apps, None)
    assert [owner(str(n)) for n in (1, 2, 3, 4)] == [
        ("ADVANCED", "7"),
        ("ADVANCED", "7"),
        ("PLAIN", "9"),
        None,
    ]


def test_a_fill_that_was_taken_back_counts_again_when_two_answers_contain_it():
    trade_record_all(trades=[wire_trade()], now=NOW)
    Trade.objects.update(quantity=Decimal(0), is_new=False)
    trade_record_all(trades=[wire_trade()], now=NOW)
    assert (Trade.objects.get().quantity, UnreadableRow.objects.count()) == (0, 1)
    trade_record_all(trades=[wire_trade()], now=NOW + timedelta(seconds=60))
    row = Trade.objects.get()
    assert (row.quantity, row.is_new, [one["quantity"] for one in row.reports]) == (2, True, ["0"])


def test_an_answer_that_agrees_ends_the_dispute():
    trade_record_all(trades=[wire_trade()], now=NOW)
    trade_record_all(trades=[wire_trade(traded_quantity="3")], now=NOW)
    trade_record_all(trades=[wire_trade()], now=NOW + timedelta(seconds=60))
    trade_record_all(trades=[wire_trade(traded_quantity="3")], now=NOW + timedelta(seconds=120))
    row = Trade.objects.get()
    assert (row.quantity, row.reports) == (2, [])


def seen(seconds, **changes):
    """One more answer about the same fill, so many seconds after the first."""
    trade_record_all(trades=[wire_trade(**changes)], now=NOW + timedelta(seconds=seconds))
    return Trade.objects.get()


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("quantity", {"traded_quantity": "3"}),
        ("price", {"traded_price": "101"}),
        ("fee", {"fees": "-0.002"}),
        ("fee_currency", {"fee_instrument_name": "USD"}),
        ("instrument_name", {"instrument_name": "ETH_USD"}),
        ("side", {"side": "SELL"}),
        ("order_id", {"order_id": "9"}),
        ("client_oid", {"client_oid": "another"}),
        ("create_time_ns", {"create_time": 1_785_586_990_123, "create_time_ns": "1785586990123456789"}),
    ],
)
def test_whatever_two_answers_contradict_is_corrected(column, changes):
    seen(0, **changes)
    false = getattr(Trade.objects.get(), column)
    assert getattr(seen(60), column) == false
    row = seen(120)
    assert getattr(row, column) == getattr(wire_row(), column) != false
    assert (row.reports[0][column], row.is_new, row.disputed_since) == (str(false), True, None)
    assert UnreadableRow.objects.get().times == 2


def wire_row():
    """What is stored of a fill that nobody contradicts."""
    trade_record_all(trades=[wire_trade(trade_id="other")], now=NOW)
    return Trade.objects.get(trade_id="other")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_oid": ""},
        {"fee_instrument_name": "", "fees": "-2"},
        {"create_time_ns": "1785587000123000000"},
        {"create_time_ns": None},
    ],
)
def test_what_an_answer_leaves_out_or_rounds_contradicts_nothing(changes):
    seen(0)
    for seconds in (60, 120):
        row = seen(seconds, **changes)
    assert (row.reports, row.disputed_since, UnreadableRow.objects.count()) == ([], None, 0)


def test_the_other_id_of_its_order_contradicts_nothing():
    record_order(**STOP)
    for order_id in ("70", "7", "7"):
        fill(order_id)
    assert (Trade.objects.get().order_id, Trade.objects.get().disputed_since) == ("70", None)


def test_a_fill_that_names_another_order_is_linked_to_that_one():
    record_order(order_id="8", **SAME)
    record_order(order_id="9", **SAME)
    for seconds, order_id in ((0, "8"), (60, "9"), (120, "9")):
        seen(seconds, order_id=order_id, **SAME)
    assert Trade.objects.get().resolved_order.order_id == "9"
