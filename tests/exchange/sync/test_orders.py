"""Orders are kept once, as far as anybody told us, and never moved back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchange.models import ExchangeOrder
from exchange.schemas import NameSpace
from exchange.sync.orders import order_missing_all, order_record_all
from tests.support import queries, wire_order, write_statements

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
LATER_MS = 1_785_587_009_000
FILLED = {
    "status": "FILLED",
    "update_time": LATER_MS,
    "cumulative_quantity": "2",
    "cumulative_value": "200.00",
    "avg_price": "100.00",
}


def record(*orders, now=NOW):
    return order_record_all(orders=orders, now=now)


def row(**which):
    return ExchangeOrder.objects.get(**which)


def test_a_new_order_is_kept_as_told():
    record(wire_order(exec_inst=["POST_ONLY"], limit_price="100.10"))
    kept = row()
    assert (kept.name_space, kept.order_id, kept.client_oid) == ("PLAIN", "5755600460443882762", "by-hand")
    assert (kept.price, kept.quantity, kept.average_price) == (Decimal("100.10"), Decimal(2), None)
    assert str(kept.price) == "100.10"
    assert kept.exec_inst == ["POST_ONLY"]
    assert (kept.is_open, kept.has_fills, kept.order_role, kept.origin) == (True, False, "ENTRY", "FOREIGN")
    assert kept.created_at == datetime(2026, 8, 1, 12, 23, 20, 123_000, tzinfo=UTC)
    assert kept.created_ns == 1_785_587_000_123_456_789
    assert kept.first_seen_at == NOW


def test_told_twice_it_is_one_row_and_nothing_is_written():
    record(wire_order())
    with queries() as statements:
        changes = record(wire_order(), wire_order())
    assert (ExchangeOrder.objects.count(), write_statements(statements), changes.size) == (1, [], 0)


def test_a_life_told_within_one_answer_ends_as_it_ends():
    changes = record(wire_order(status="NEW"), wire_order(**FILLED), wire_order())
    assert row().status == "FILLED"
    assert (len(changes.new), len(changes.changed), len(changes.executed)) == (1, 0, 1)


def test_an_order_counts_as_executed_once():
    record(wire_order())
    assert len(record(wire_order(**FILLED)).executed) == 1
    assert len(record(wire_order(**FILLED, maker_fee_rate="0.25")).executed) == 0
    assert row().maker_fee_rate == Decimal("0.25")


def test_a_cancelled_order_with_fills_has_executed_and_one_without_has_not():
    """A market buy by amount of money ends CANCELED and is a full fill."""
    changes = record(
        wire_order(order_id="1", **{**FILLED, "status": "CANCELED"}),
        wire_order(order_id="2", status="CANCELED"),
    )
    assert changes.executed == {("PLAIN", "1")}
    assert (row(order_id="1").has_fills, row(order_id="2").has_fills) == (True, False)


def test_a_stale_report_reopens_nothing():
    record(wire_order(**FILLED))
    record(wire_order(), now=NOW + timedelta(minutes=1))
    assert (row().status, row().filled_quantity, row().is_open) == ("FILLED", Decimal(2), False)


def test_the_same_id_in_the_other_name_space_is_another_order():
    record(wire_order(), wire_order(NameSpace.ADVANCED, side="SELL", order_type="STOP_LOSS", ref_price="90"))
    assert ExchangeOrder.objects.count() == 2
    assert not ExchangeOrder.objects.filter(is_mirror=True).exists()


def test_unknown_words_are_kept_and_end_nothing():
    record(wire_order(order_type="TRAILING", time_in_force="GOOD_TILL_FULL_MOON"))
    assert (row().status, row().is_open, row().order_type) == ("ACTIVE", True, "TRAILING")


def test_an_odd_text_is_cut_to_its_column_and_stops_nothing():
    record(wire_order(order_type="S" * 400, client_oid="a\0b", reason=9_999_999_999))
    assert (row().order_type, row().client_oid, row().reason) == ("S" * 32, "ab", None)


def test_a_code_stays_a_code_and_words_stay_words():
    record(wire_order(order_id="1", reason="43012"), wire_order(order_id="2", reason="because"))
    assert (row(order_id="1").reason, row(order_id="2").reject_reason) == (43012, "because")


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ({"contingency_type": "OCO"}, "TAKE_PROFIT"),
        ({"contingency_type": ""}, "TAKE_PROFIT"),
        ({"contingency_type": "OTO"}, "EXIT"),
        ({"contingency_type": "OCO", "order_type": "STOP_LOSS"}, "STOP_LOSS"),
    ],
)
def test_the_role_of_a_leg(told, role):
    record(wire_order(NameSpace.ADVANCED, side="SELL", list_id="77", **told))
    assert row().order_role == role


def test_a_list_that_is_told_later_makes_the_role():
    record(wire_order(NameSpace.ADVANCED, side="SELL"))
    assert row().order_role == "EXIT"
    record(wire_order(NameSpace.ADVANCED, side="SELL", list_id="77", contingency_type="OCO"))
    assert row().order_role == "TAKE_PROFIT"


def test_what_we_could_not_find_is_unknown_and_not_closed():
    record(wire_order())
    key = ("PLAIN", "5755600460443882762")
    assert order_missing_all(keys=[key], now=NOW) == 1
    assert order_missing_all(keys=[key], now=NOW + timedelta(hours=1)) == 0
    assert (row().is_open, row().status, row().missing_since) == (True, "ACTIVE", NOW)


def test_found_again_it_is_not_missing_any_more():
    record(wire_order())
    order_missing_all(keys=[("PLAIN", "5755600460443882762")], now=NOW)
    record(wire_order())
    assert row().missing_since is None


def test_a_finished_order_cannot_go_missing():
    record(wire_order(**FILLED))
    assert order_missing_all(keys=[("PLAIN", "5755600460443882762")], now=NOW) == 0
    assert order_missing_all(keys=[], now=NOW) == 0


class TestMirrors:
    """A triggered order may show in both name spaces, under a second id or under the same."""

    stop = {"side": "SELL", "order_type": "STOP_LOSS", "ref_price": "90"}
    face = {"side": "SELL", "order_type": "MARKET"}

    def advanced(self, **more):
        return wire_order(NameSpace.ADVANCED, order_id="1", **{**self.stop, **more})

    def mirrors(self):
        return set(ExchangeOrder.objects.filter(is_mirror=True).values_list("name_space", "order_id"))

    def test_both_in_one_answer(self):
        record(self.advanced(exchange_order_id="9"), wire_order(order_id="9", **self.face))
        assert self.mirrors() == {("PLAIN", "9")}

    def test_the_plain_face_first(self):
        record(wire_order(order_id="9", **self.face))
        record(self.advanced())
        assert self.mirrors() == set()
        record(self.advanced(exchange_order_id="9", update_time=LATER_MS))
        assert self.mirrors() == {("PLAIN", "9")}

    def test_the_plain_face_later(self):
        record(self.advanced(exchange_order_id="9"))
        record(wire_order(order_id="9", **self.face))
        assert self.mirrors() == {("PLAIN", "9")}

    def test_under_the_same_id(self):
        record(self.advanced(), wire_order(order_id="1", **self.face))
        assert self.mirrors() == {("PLAIN", "1")}

    def test_an_id_alone_proves_nothing(self):
        """Two name spaces may number alike: an order of another coin, side or size is a real one."""
        record(self.advanced(exchange_order_id="9"))
        for different in ({"side": "BUY"}, {"quantity": "3"}, {"instrument_name": "ETH_USD"}):
            ExchangeOrder.objects.filter(name_space="PLAIN").delete()
            record(wire_order(order_id="9", **{**self.face, **different}))
            assert self.mirrors() == set()

    def test_under_the_same_id_a_stranger_has_a_name_of_its_own(self):
        record(
            self.advanced(client_oid="ours"),
            wire_order(order_id="1", **{**self.face, "client_oid": "theirs"}),
        )
        assert self.mirrors() == set()

    def test_under_the_second_id_any_name_will_do(self):
        face = {**self.face, "client_oid": "made up by the exchange"}
        record(self.advanced(client_oid="ours", exchange_order_id="9"), wire_order(order_id="9", **face))
        assert self.mirrors() == {("PLAIN", "9")}

    def test_an_order_that_has_a_second_id_is_not_mirrored_under_its_first(self):
        record(self.advanced(exchange_order_id="9"), wire_order(order_id="1", **self.face))
        assert self.mirrors() == set()

    def test_an_execution_counts_once(self):
        ended = {**FILLED, **self.face}
        changes = record(
            self.advanced(**{**FILLED, **self.stop}, exchange_order_id="9"), wire_order(order_id="9", **ended)
        )
        assert changes.executed == {("ADVANCED", "1")}


def test_many_orders_take_few_queries_and_small_transactions(django_assert_max_num_queries):
    orders = [wire_order(order_id=str(n)) for n in range(1200)]
    record(*orders)
    assert ExchangeOrder.objects.count() == 1200
    with django_assert_max_num_queries(1):
        record(*orders)


def test_times_survive_the_database_to_the_millisecond():
    record(wire_order(create_time=1_785_587_000_001, update_time=1_785_587_000_999))
    kept = ExchangeOrder.objects.get(updated_at=datetime(2026, 8, 1, 12, 23, 20, 999_000, tzinfo=UTC))
    with timezone.override("Asia/Kathmandu"):
        assert kept.created_at.isoformat() == "2026-08-01T12:23:20.001000+00:00"
