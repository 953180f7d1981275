"""Rows for tests: each factory makes a complete, ordinary row; a test sets only the fields it is about."""

from datetime import timedelta
from decimal import Decimal

import factory
from django.contrib.auth.models import User
from django.utils import timezone
from factory.django import DjangoModelFactory

from exchange.core.times import Timeframe
from exchange.models import (
    AccountBinding,
    AuditEntry,
    Candle,
    ExchangeOrder,
    Heartbeat,
    HistoryGap,
    HistoryRange,
    Instrument,
    Lease,
    Quote,
    SyncCursor,
    SyncRun,
    Trade,
    TradingSwitch,
)
from exchange.models.sync import Stream, StreamRecord, UnreadableRow
from exchange.sync.trades import trade_orders_resolve
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, OcoLeg, ProtectionPolicy, UsedReview, Watermark
from portfolio.models import (
    Alert,
    AlertDismissal,
    AlertMessage,
    ApiToken,
    Balance,
    BalanceChange,
    CoinDrift,
    CostCursor,
    CostEntry,
    Perpetual,
    PortfolioSnapshot,
    PositionCost,
    Signal,
    WatchlistItem,
)

Now = factory.LazyFunction(timezone.now)
DAY_NS = 86_400_000_000_000


class InstrumentFactory(DjangoModelFactory[Instrument]):
    """BTC_USD, with the ticks it has on the exchange."""

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
    """An open limit buy, placed manually an hour ago."""

    class Meta:
        model = ExchangeOrder

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        order = super()._create(model_class, *args, **kwargs)
        trade_orders_resolve(order_ids={order.order_id, order.exchange_order_id} - {""})
        return order

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

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        trade = super()._create(model_class, *args, **kwargs)
        trade_orders_resolve(order_ids={trade.order_id})
        trade.refresh_from_db(fields=["resolved_order"])
        return trade

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
    quote_usd = factory.LazyAttribute(
        lambda row: Decimal(1) if row.instrument_name.endswith("_USD") else None
    )
    traded_at = Now
    create_time_ns = factory.LazyAttribute(lambda row: int(row.traded_at.timestamp()) * 1_000_000_000)
    first_seen_at = factory.SelfAttribute("traded_at")


class BalanceFactory(DjangoModelFactory[Balance]):
    """0.1 BTC, all of it available."""

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


class AuditEntryFactory(DjangoModelFactory[AuditEntry]):
    """Alice requested protection."""

    class Meta:
        model = AuditEntry

    at = Now
    actor = "alice"
    what = AuditEntry.Action.PROTECT
    result = "WRITTEN"


class StreamRecordFactory(DjangoModelFactory[StreamRecord]):
    """The user stream, live for `age` seconds and heard a second ago."""

    class Meta:
        model = StreamRecord

    class Params:
        age = 60

    status = "live"
    since = factory.LazyAttribute(lambda row: timezone.now() - timedelta(seconds=row.age))
    last_message_at = factory.LazyFunction(lambda: timezone.now() - timedelta(seconds=1))
    beat_at = Now


class HeartbeatFactory(DjangoModelFactory[Heartbeat]):
    """A running worker."""

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


class UnreadableRowFactory(DjangoModelFactory[UnreadableRow]):
    class Meta:
        model = UnreadableRow

    method = "private/get-trades"
    row_id = factory.Sequence(lambda n: str(4_611_686_018_600_000_000 + n))
    problem = "traded_quantity must be positive"
    raw = '{"traded_quantity": "-1"}'
    first_seen_at = Now
    last_seen_at = Now


class HistoryGapFactory(DjangoModelFactory[HistoryGap]):
    class Meta:
        model = HistoryGap

    stream = Stream.TRADES
    instrument_name = "BTC_USD"
    start_ns = 19_400 * DAY_NS
    end_ns = 19_400 * DAY_NS + 1_000_000
    reason = "more rows in one millisecond than an answer holds"
    found_at = Now


class TradingSwitchFactory(DjangoModelFactory[TradingSwitch]):
    """Trading switched off by Alice."""

    class Meta:
        model = TradingSwitch

    is_off = True
    changed_at = Now
    changed_by = "alice"
    reason = "on holiday"


class PolicyFactory(DjangoModelFactory[ProtectionPolicy]):
    """The default policy of all instruments."""

    class Meta:
        model = ProtectionPolicy
        django_get_or_create = ("instrument_name", "side")

    instrument_name = ""
    side = "BUY"
    stop_pct = Decimal("5")
    target_pct = Decimal("10")


class WatermarkFactory(DjangoModelFactory[Watermark]):
    class Meta:
        model = Watermark

    since_ns = 20_000 * DAY_NS


class LotFactory(DjangoModelFactory[Lot]):
    """0.01 BTC, bought an hour ago."""

    class Meta:
        model = Lot

    entry_order_id = factory.Sequence(lambda n: str(5_755_600_000_000_100_000 + n))
    instrument_name = "BTC_USD"
    base_ccy = factory.LazyAttribute(lambda row: row.instrument_name.split("_")[0])
    first_trade_id = factory.Sequence(lambda n: str(4_611_686_018_427_100_000 + n))
    bought = Decimal("0.01000")
    dust = Decimal("0")
    average_price = Decimal("60000.00")
    opened_at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    entered_at = factory.SelfAttribute("opened_at")


class LotTradeFactory(DjangoModelFactory[LotTrade]):
    class Meta:
        model = LotTrade

    trade_id = factory.Sequence(lambda n: str(4_611_686_018_427_100_000 + n))
    lot = factory.SubFactory(LotFactory)


class GroupFactory(DjangoModelFactory[OcoGroup]):
    """Stop and take profit of a lot, both open. `state=` sets another state."""

    class Meta:
        model = OcoGroup

    class Params:
        closed = factory.Trait(
            state="CLOSED_BY_TARGET",
            closed_at=factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=5)),
            lot__closed_at=factory.SelfAttribute("..closed_at"),
        )
        buys_back = factory.Trait(
            lot__side="SELL",
            lot__quote_ccy="USD",
            lot__unit_cost=Decimal("65214.45"),
            stop_price=Decimal("63000.00"),
            take_profit_price=Decimal("54000.00"),
        )

    lot = factory.SubFactory(LotFactory, instrument_name=factory.SelfAttribute("..instrument_name"))
    state = "ACTIVE"
    generation = 1
    instrument_name = "BTC_USD"
    quantity = factory.LazyAttribute(lambda row: row.lot.bought)
    entry_price = Decimal("60000.00")
    stop_price = Decimal("57000.00")
    take_profit_price = Decimal("66000.00")
    entry_order_id = factory.SelfAttribute("lot.entry_order_id")
    reason = ""  # a text as it was written before there were codes
    reason_code = factory.LazyAttribute(lambda row: "" if row.reason else "CONFIRMED_OPEN")
    created_at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    state_since = factory.SelfAttribute("created_at")


class LegFactory(DjangoModelFactory[OcoLeg]):
    """The open stop of a group."""

    class Meta:
        model = OcoLeg

    group = factory.SubFactory(GroupFactory)
    generation = 1
    order_role = "STOP_LOSS"
    name_space = "ADVANCED"
    client_oid = factory.Sequence(lambda n: f"xd{n:032d}")
    type = "STOP_LOSS"
    side = "SELL"
    quantity = factory.SelfAttribute("group.quantity")
    trigger_price = factory.SelfAttribute("group.stop_price")
    order_id = factory.Sequence(lambda n: str(6_498_090_000_000_000_000 + n))
    status = "OPEN"
    sent_at = factory.SelfAttribute("group.created_at")


class EventFactory(DjangoModelFactory[OcoEvent]):
    class Meta:
        model = OcoEvent

    group = factory.SubFactory(GroupFactory)
    at = Now
    old = "PENDING"
    new = "ACTIVE"
    reason = ""
    reason_code = factory.LazyAttribute(lambda row: "" if row.reason else "CONFIRMED_OPEN")
    order_ids = ["61", "62"]


class AlertFactory(DjangoModelFactory[Alert]):
    class Meta:
        model = Alert

    kind = "STOP_FAILED"
    dedupe_key = factory.Sequence(lambda n: f"event {n}")
    title = "BTC_USD: stop could not be placed"
    text = "The exchange refused it three times."
    instrument_name = "BTC_USD"
    raised_at = Now


class MessageFactory(DjangoModelFactory[AlertMessage]):
    """A message about one alert, accepted by one channel."""

    class Meta:
        model = AlertMessage

    number = factory.Sequence(lambda n: n + 1)
    at = Now
    alerts = 1
    took = 1


class PerpetualFactory(DjangoModelFactory[Perpetual]):
    """A short position; the program only displays it."""

    class Meta:
        model = Perpetual

    instrument_name = "BTCUSD-PERP"
    quantity = Decimal("-0.0500")
    market_value_usd = Decimal("3000.00")
    since = Now
    read_at = Now


class UsedReviewFactory(DjangoModelFactory[UsedReview]):
    class Meta:
        model = UsedReview

    nonce = factory.Sequence(lambda n: f"nonce {n}")
    used_at = Now


class SnapshotFactory(DjangoModelFactory[PortfolioSnapshot]):
    """An account value of 10,000 USD, all of it cash. `at=` sets the time."""

    class Meta:
        model = PortfolioSnapshot

    class Params:
        at = Now

    at_ms = factory.LazyAttribute(lambda row: int(row.at.timestamp() * 1000))
    total_usd = Decimal("10000.00")
    cash_usd = factory.SelfAttribute("total_usd")


class CostCursorFactory(DjangoModelFactory[CostCursor]):
    class Meta:
        model = CostCursor

    trade_pk = 7


class DriftFactory(DjangoModelFactory[CoinDrift]):
    """0.5 BTC known, of which trades explain 0.1."""

    class Meta:
        model = CoinDrift

    currency = "BTC"
    traded = Decimal("0.10000000")
    traded_ns = 1_785_587_000_123_456_789
    known = Decimal("0.50000000")


class BalanceChangeFactory(DjangoModelFactory[BalanceChange]):
    """Half a bitcoin left without a fill."""

    class Meta:
        model = BalanceChange

    currency = "BTC"
    change = Decimal("-0.5")
    since_ns = 1_785_587_000_123_456_789
    price_usd = Decimal("60000")
    recorded_at = Now


class CostFactory(DjangoModelFactory[PositionCost]):
    """0.1 BTC, bought at 50,000 USD."""

    class Meta:
        model = PositionCost

    currency = "BTC"
    quantity = Decimal("0.10000000")
    cost_usd = Decimal("5000.00")


class SaleFactory(DjangoModelFactory[CostEntry]):
    """0.01 BTC sold with a gain of 98.50 USD. `trade=` is its fill."""

    class Meta:
        model = CostEntry

    class Params:
        trade = factory.SubFactory(TradeFactory, side="SELL")

    currency = factory.LazyAttribute(lambda row: row.instrument_name.split("_")[0])
    at_ns = factory.SelfAttribute("trade.create_time_ns")
    trade_id = factory.SelfAttribute("trade.trade_id")
    order_id = factory.SelfAttribute("trade.order_id")
    instrument_name = factory.SelfAttribute("trade.instrument_name")
    change = factory.LazyAttribute(lambda row: -row.trade.quantity)
    usd = factory.LazyAttribute(lambda row: row.trade.quantity * row.trade.price + row.trade.fee)
    is_sale = True
    realised_usd = Decimal("98.50")


class CandleFactory(DjangoModelFactory[Candle]):
    """A closed one-hour candle of BTC_USD."""

    class Meta:
        model = Candle

    instrument_name = "BTC_USD"
    timeframe = "1h"
    opened_at = factory.LazyFunction(lambda: timezone.now().replace(minute=0, second=0, microsecond=0))
    open = Decimal("60000.00")
    high = Decimal("60500.00")
    low = Decimal("59500.00")
    close = Decimal("60100.00")
    volume = Decimal("12.34567")
    is_closed = True
    read_at = Now


class QuoteFactory(DjangoModelFactory[Quote]):
    """BTC_USD, read just now."""

    class Meta:
        model = Quote

    instrument_name = "BTC_USD"
    price = Decimal("60000.00")
    change_24h = Decimal("0.0184")
    read_at = Now


class WatchFactory(DjangoModelFactory[WatchlistItem]):
    """The next position on the watchlist."""

    class Meta:
        model = WatchlistItem

    instrument_name = "BTC_USD"
    position = factory.Sequence(lambda n: n + 1)
    changed_at = Now


class SignalFactory(DjangoModelFactory[Signal]):
    """A buy signal of the last closed hour."""

    class Meta:
        model = Signal

    instrument_name = "BTC_USD"
    timeframe = "1h"
    action = "BUY"
    score = 78
    reasons = [{"key": "macd_above", "params": {}}, {"key": "rsi_low", "params": {"rsi": "27.4"}}]
    inputs = {"rsi_14": "27.41", "close": "60100.00"}
    candle_time = factory.LazyFunction(lambda: Timeframe.H1.bar_start(timezone.now()) - timedelta(hours=1))
    computed_at = Now


class UserFactory(DjangoModelFactory[User]):
    """Alice, a superuser."""

    class Meta:
        model = User
        django_get_or_create = ("username",)

    username = "alice"
    is_staff = True
    is_superuser = True


class AlertDismissalFactory(DjangoModelFactory[AlertDismissal]):
    class Meta:
        model = AlertDismissal

    user = factory.SubFactory(UserFactory)
    alert = factory.SubFactory(AlertFactory)
    exposed_usd = Decimal("600")
    dismissed_at = Now


class ApiTokenFactory(DjangoModelFactory[ApiToken]):
    """A read token of Alice that expires in an hour; `text` is the token itself."""

    class Meta:
        model = ApiToken

    user = factory.SubFactory(UserFactory)
    scope = "read"
    label = "a script"
    expiry = timedelta(hours=1)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        row, text = model_class.objects.create(*args, **kwargs)
        row.text = text
        return row
