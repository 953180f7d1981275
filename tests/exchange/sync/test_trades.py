"""A fill is kept once, exactly as charged."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchange.models import Trade
from exchange.sync.trades import trade_record_all
from tests.support import queries, wire_trade, write_statements

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
