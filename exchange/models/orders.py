"""Orders and fills as the exchange reported them; neither is ever deleted."""

from django.db import models
from django.db.models import Q

from exchange.fields import ExactDecimalField


class ExchangeOrder(models.Model):
    """One order in one name space of the exchange (dossier 5.16 and 6).

    Times are the exchange's. `filled_quantity` never decreases and a finished order never opens again
    (`exchange.sync.order_merge`), unless two reads contradict what no fill proves (`disputed_since`).
    `cumulative_fee` is as reported and its unit is unreliable (dossier 5.11.7): the charged fees are in the trades.
    """

    class NameSpace(models.TextChoices):
        PLAIN = "PLAIN", "plain"
        ADVANCED = "ADVANCED", "advanced"

    class Role(models.TextChoices):
        ENTRY = "ENTRY", "entry"
        EXIT = "EXIT", "exit"
        STOP_LOSS = "STOP_LOSS", "stop loss"
        TAKE_PROFIT = "TAKE_PROFIT", "take profit"

    class Origin(models.TextChoices):
        OURS = "OURS", "sent by Exchange Desk"
        FOREIGN = "FOREIGN", "sent manually or by another program"

    name_space = models.CharField(max_length=8, choices=NameSpace.choices)
    order_id = models.CharField(max_length=64)
    exchange_order_id = models.CharField(
        max_length=64, blank=True, help_text="Second id of a triggered order."
    )
    client_oid = models.CharField(max_length=128, blank=True, db_index=True)
    account_id = models.CharField(max_length=64, blank=True)
    instrument_name = models.CharField(max_length=64)
    side = models.CharField(max_length=8)
    order_type = models.CharField(max_length=32)
    time_in_force = models.CharField(max_length=32, blank=True)
    exec_inst = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=32)
    reason = models.IntegerField(null=True, blank=True)
    reject_reason = models.CharField(max_length=255, blank=True)

    quantity = ExactDecimalField(null=True, blank=True)
    price = ExactDecimalField(null=True, blank=True)
    trigger_price = ExactDecimalField(null=True, blank=True)
    trigger_price_type = models.CharField(max_length=32, blank=True)
    order_value = ExactDecimalField(null=True, blank=True)
    filled_quantity = ExactDecimalField()
    filled_value = ExactDecimalField(null=True, blank=True)
    average_price = ExactDecimalField(null=True, blank=True)
    cumulative_fee = ExactDecimalField(null=True, blank=True)
    fee_currency = models.CharField(max_length=32, blank=True)
    maker_fee_rate = ExactDecimalField(null=True, blank=True)
    taker_fee_rate = ExactDecimalField(null=True, blank=True)

    list_id = models.CharField(max_length=64, blank=True, db_index=True)
    contingency_type = models.CharField(max_length=32, blank=True)
    leg_id = models.CharField(max_length=32, blank=True)
    attach_order_id = models.CharField(max_length=64, blank=True)
    isolation_id = models.CharField(max_length=64, blank=True)
    isolation_type = models.CharField(max_length=32, blank=True)
    leverage = models.CharField(max_length=32, blank=True)

    order_role = models.CharField(max_length=16, choices=Role.choices, blank=True)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.FOREIGN)
    oco_group_id = models.UUIDField(null=True, blank=True, db_index=True)

    created_at = models.DateTimeField()
    created_ns = models.BigIntegerField(null=True, blank=True)
    updated_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="Recorded as open, but the exchange neither lists nor finds it."
    )
    disputed_since = models.DateTimeField(
        null=True, blank=True, help_text="An answer contradicts the end or the execution recorded here."
    )
    is_open = models.BooleanField()
    has_fills = models.BooleanField()
    is_mirror = models.BooleanField(
        default=False,
        help_text="The duplicate listing of an advanced order in the plain name space; not counted.",
    )

    class Meta:
        db_table = "exchange_orders"
        ordering = ["-updated_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["name_space", "order_id"], name="order_once_per_name_space")
        ]
        indexes = [
            models.Index(fields=["-updated_at", "-id"], name="orders_newest"),
            models.Index(
                fields=["-updated_at", "-id"],
                name="orders_executed",
                condition=Q(is_open=False, has_fills=True),
            ),
            models.Index(fields=["-created_at", "-id"], name="orders_open", condition=Q(is_open=True)),
            models.Index(fields=["-updated_at", "-id"], name="orders_open_newest", condition=Q(is_open=True)),
            models.Index(fields=["-created_at", "-id"], name="orders_created"),
            models.Index(fields=["status", "-updated_at", "-id"], name="orders_of_status"),
            models.Index(fields=["order_role", "-updated_at", "-id"], name="orders_of_role"),
            models.Index(fields=["-updated_at", "-id"], name="orders_ours", condition=Q(origin="OURS")),
            models.Index(fields=["client_oid"], name="orders_foreign", condition=Q(origin="FOREIGN")),
            models.Index(
                fields=["exchange_order_id"], name="orders_second_id", condition=~Q(exchange_order_id="")
            ),
            models.Index(fields=["instrument_name", "-updated_at", "-id"], name="orders_of_instrument"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.instrument_name} {self.order_type} {self.order_id}"


class Trade(models.Model):
    """One execution (dossier 5.19). `fee` is signed as the exchange reports it: negative was deducted.

    One that later answers contradict is corrected (`exchange.sync.trades`); a quantity of zero was never there.
    """

    trade_id = models.CharField(max_length=64, unique=True)
    trade_match_id = models.CharField(max_length=64, blank=True)
    order_id = models.CharField(
        max_length=64, db_index=True, help_text="Either id of its order: a triggered order has two."
    )
    # Not `order`: its column would be `order_id`, which is the exchange's id. Set by `trade_orders_resolve`.
    resolved_order = models.ForeignKey(
        ExchangeOrder,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="trades",
        help_text="The order with that id; empty until known.",
    )
    client_oid = models.CharField(max_length=128, blank=True)
    account_id = models.CharField(max_length=64, blank=True)
    instrument_name = models.CharField(max_length=64)
    side = models.CharField(max_length=8)
    taker_side = models.CharField(max_length=8, blank=True)
    quantity = ExactDecimalField()
    price = ExactDecimalField()
    fee = ExactDecimalField()
    fee_credits = ExactDecimalField(null=True, blank=True)
    fee_currency = models.CharField(max_length=32, blank=True)
    journal_type = models.CharField(max_length=32, blank=True)
    match_count = models.IntegerField(null=True, blank=True)
    match_index = models.IntegerField(null=True, blank=True)
    isolation_id = models.CharField(max_length=64, blank=True)
    isolation_type = models.CharField(max_length=32, blank=True)
    traded_at = models.DateTimeField()
    create_time_ns = models.BigIntegerField()
    transact_time_ns = models.BigIntegerField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    is_new = models.BooleanField(default=True, help_text="Not yet processed for protection.")
    quote_usd = ExactDecimalField(
        null=True,
        blank=True,
        help_text="US dollars for one unit of the quote currency when it was traded; empty when unknown.",
    )
    fee_usd = ExactDecimalField(
        null=True, blank=True, help_text="The fee in US dollars at that time, signed as the fee."
    )
    is_rated = models.BooleanField(default=False, help_text="Both are known, or cannot be found out.")
    disputed_since = models.DateTimeField(null=True, blank=True, help_text="A later answer contradicts it.")
    disputed_by = models.JSONField(
        null=True, blank=True, help_text="What that answer says instead; nothing when it does not contain it."
    )
    reports = models.JSONField(
        default=list,
        blank=True,
        help_text="What was reported before it was corrected, the first report first.",
    )

    class Meta:
        db_table = "exchange_trades"
        ordering = ["-create_time_ns", "-id"]
        indexes = [
            models.Index(fields=["-create_time_ns", "-id"], name="trades_newest"),
            models.Index(fields=["instrument_name", "-create_time_ns"], name="trades_of_instrument"),
            models.Index(fields=["create_time_ns"], name="trades_undecided", condition=Q(is_new=True)),
            models.Index(fields=["create_time_ns"], name="trades_unrated", condition=Q(is_rated=False)),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.instrument_name} @ {self.price}"
