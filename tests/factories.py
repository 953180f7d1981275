"""Rows for the tests: each factory makes one that is whole and ordinary; a story changes what it is about."""

from datetime import timedelta
from decimal import Decimal

import factory
from django.contrib.auth.models import User
from django.utils import timezone
from factory.django import DjangoModelFactory

from exchange.models import (
    AccountBinding,
    ExchangeOrder,
    Heartbeat,
    HistoryGap,
    HistoryRange,
    Instrument,
    Lease,
    SyncCursor,
    SyncRun,
    Trade,
)
from exchange.models.history import Stream
from portfolio.models import Balance

Now = factory.LazyFunction(timezone.now)
DAY_NS = 86_400_000_000_000


class InstrumentFactory(DjangoModelFactory[Instrument]):
    """BTC_USD, on the grid it has on the exchange."""

    class Meta:
        model = Instrument
        django_get_or_create = ("symbol",)

    symbol = "BTC_USD"
    inst_type = "CCY_PAIR"
    base_ccy = factory.LazyAttribute(lambda row: row.symbol.split("_")[0])
    quote_ccy = factory.LazyAttribute(lambda row: row.symbol.split("_")[-1])
    display_name = factory.LazyAttribute(lambda row: row.symbol.replace("_", "/"))
    quote_decimals = 2
    quantity_decimals = 5
    price_tick_size = Decimal("0.01")
    qty_tick_size = Decimal("0.00001")
    tradable = True
    read_at = Now


class OrderFactory(DjangoModelFactory[ExchangeOrder]):
    """A limit buy that waits on the book, placed by hand an hour ago."""

    class Meta:
        model = ExchangeOrder

    class Params:
        filled = factory.Trait(
            status="FILLED",
            is_open=False,
            has_fills=True,
            filled_quantity=factory.SelfAttribute("quantity"),
            average_price=factory.SelfAttribute("price"),
            filled_value=factory.LazyAttribute(lambda row: row.quantity * row.price),
        )
        canceled = factory.Trait(status="CANCELED", is_open=False)
        advanced = factory.Trait(
            name_space=ExchangeOrder.NameSpace.ADVANCED,
            order_type="STOP_LIMIT",
            side="SELL",
            trigger_price=Decimal("55000.00"),
            trigger_price_type="MARK_PRICE",
        )

    name_space = ExchangeOrder.NameSpace.PLAIN
    order_id = factory.Sequence(lambda n: str(5_755_600_000_000_000_000 + n))
    client_oid = factory.Sequence(lambda n: f"by-hand-{n}")
    account_id = "52e7c00f-1324-5a6z-bfgt-de445bde21a5"
    instrument_name = "BTC_USD"
    side = "BUY"
    order_type = "LIMIT"
    time_in_force = "GOOD_TILL_CANCEL"
    status = "ACTIVE"
    quantity = Decimal("0.01000")
    price = Decimal("60000.00")
    filled_quantity = Decimal("0")
    order_role = ""
    created_at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    updated_at = factory.SelfAttribute("created_at")
    first_seen_at = factory.SelfAttribute("created_at")
    is_open = True
    has_fills = False


class TradeFactory(DjangoModelFactory[Trade]):
    """One execution, its fee deducted in USD."""

    class Meta:
        model = Trade

    trade_id = factory.Sequence(lambda n: str(4_611_686_018_427_000_000 + n))
    trade_match_id = factory.Sequence(lambda n: str(4_611_686_018_500_000_000 + n))
    order_id = factory.Sequence(lambda n: str(5_755_600_000_000_000_000 + n))
    instrument_name = "BTC_USD"
    side = "BUY"
    taker_side = "TAKER"
    quantity = Decimal("0.01000")
    price = Decimal("60000.00")
    fee = Decimal("-1.50")
    fee_currency = "USD"
    journal_type = "TRADING"
    traded_at = Now
    create_time_ns = factory.LazyAttribute(lambda row: int(row.traded_at.timestamp()) * 1_000_000_000)
    first_seen_at = factory.SelfAttribute("traded_at")


class BalanceFactory(DjangoModelFactory[Balance]):
    """A tenth of a bitcoin, all of it free."""

    class Meta:
        model = Balance
        django_get_or_create = ("currency",)

    currency = "BTC"
    quantity = Decimal("0.10000000")
    available = factory.SelfAttribute("quantity")
    reserved = Decimal("0")
    price_usd = Decimal("60000.00")
    market_value_usd = factory.LazyAttribute(
        lambda row: None if row.price_usd is None else row.quantity * row.price_usd
    )
    read_at = Now


class SyncRunFactory(DjangoModelFactory[SyncRun]):
    """A complete cycle that ended `age` seconds ago."""

    class Meta:
        model = SyncRun

    class Params:
        age = 5
        failed = factory.Trait(
            status=SyncRun.Status.FAILED, errors=["The exchange cannot be reached: connection refused."]
        )

    finished_at = factory.LazyAttribute(lambda row: timezone.now() - timedelta(seconds=row.age))
    started_at = factory.LazyAttribute(lambda row: row.finished_at - timedelta(milliseconds=812))
    status = SyncRun.Status.OK
    trigger = "schedule"
    token = factory.Sequence(int)
    requests = 6
    duration_ms = 812
    clock_offset_ms = 14


class HeartbeatFactory(DjangoModelFactory[Heartbeat]):
    """A worker that is alive."""

    class Meta:
        model = Heartbeat
        django_get_or_create = ("name",)

    name = "worker"
    beat_at = Now


class LeaseFactory(DjangoModelFactory[Lease]):
    class Meta:
        model = Lease

    name = "exchange"
    holder = "worker 4711"
    token = 7
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(seconds=60))


class AccountBindingFactory(DjangoModelFactory[AccountBinding]):
    class Meta:
        model = AccountBinding

    environment = "DRY_RUN"
    account_uuid = "52e7c00f-1324-5a6z-bfgt-de445bde21a5"
    key_tail = "-key"
    bound_at = Now
    verified_at = Now


class SyncCursorFactory(DjangoModelFactory[SyncCursor]):
    class Meta:
        model = SyncCursor

    stream = Stream.ORDERS
    read_until_ns = 20_000 * DAY_NS


class HistoryRangeFactory(DjangoModelFactory[HistoryRange]):
    class Meta:
        model = HistoryRange

    stream = Stream.ORDERS
    start_ns = 19_000 * DAY_NS
    end_ns = 20_000 * DAY_NS
    next_ns = 19_500 * DAY_NS
    why = "first start"
    created_at = Now


class HistoryGapFactory(DjangoModelFactory[HistoryGap]):
    class Meta:
        model = HistoryGap

    stream = Stream.TRADES
    instrument_name = "BTC_USD"
    start_ns = 19_400 * DAY_NS
    end_ns = 19_400 * DAY_NS + 1_000_000
    reason = "more rows in one millisecond than an answer holds"
    found_at = Now


class UserFactory(DjangoModelFactory[User]):
    """Alice, who owns the desk."""

    class Meta:
        model = User
        django_get_or_create = ("username",)

    username = "alice"
    is_staff = True
    is_superuser = True
