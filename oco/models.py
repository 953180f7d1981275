"""Lots, their protection groups and orders, the event log and the policies."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from exchange.core.observability import CORRELATION_ID_LENGTH, correlation_id
from exchange.core.reasons import MAX_CODE_LENGTH, Reason, stored_reason
from exchange.fields import ExactDecimalField
from oco.engine.pricing import ExitSide
from oco.engine.states import OPEN, State, shown_state
from oco.labels import ROLE_LABELS, STATE_LABELS, state_label

OPEN_OR_WAITING = Q(closed_at=None) | Q(waits=True)  # of lots


class Watermark(models.Model):
    """Rule 1: the exchange's time at the start of the first complete read, compared per trade."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    since_ns = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.since_ns)


class Lot(models.Model):
    """A fixed set of trades of one entry order, or coins that a user asked to protect.

    Its open quantity is `bought` less the executions of our orders, less what left the account in another
    way. `short_*` record a balance shortfall until a second read confirms it (rule 10).

    After a sale (`side` SELL, rule 4) everything is mirrored, in the same coins: `bought` is to be bought
    back, `sold` was bought by our orders, `gone` has lost its funds. `unit_cost` is the highest cost per
    coin, set such that all of them never cost more than the proceeds of the sale.
    What is too small for an order may join a later lot of the same instrument: `bought` falls here and grows there.
    """

    class Side(models.TextChoices):
        BUY = "BUY", "bought"
        SELL = "SELL", "sold"

    entry_order_id = models.CharField(max_length=64, blank=True)
    instrument_name = models.CharField(max_length=64)
    side = models.CharField(
        max_length=8, choices=Side.choices, default=Side.BUY, help_text="Side of its entry."
    )
    base_ccy = models.CharField(max_length=32)
    quote_ccy = models.CharField(max_length=32, blank=True, help_text="Set if it buys back.")
    unit_cost = ExactDecimalField(
        null=True, blank=True, help_text="Highest cost per coin, fee included, in the quote currency."
    )
    first_trade_id = models.CharField(max_length=64)
    bought = ExactDecimalField(help_text="After fees charged in the coin itself.")
    dust = ExactDecimalField(help_text="The part below the lot size of the exchange.")
    sold = ExactDecimalField(default=Decimal(0), help_text="Executed by our own orders; never decreases.")
    gone = ExactDecimalField(default=Decimal(0), help_text="Left the account in another way, or was merged.")
    written_off = ExactDecimalField(default=Decimal(0), help_text="The part of it without a fill.")
    written_off_at = models.DateTimeField(null=True, blank=True)
    average_price = ExactDecimalField(null=True, blank=True)
    entered_at = models.DateTimeField(null=True, blank=True, help_text="Time of its last trade.")
    first_generation = models.IntegerField(
        default=0, help_text="Its orders are numbered from the next generation."
    )
    by_person = models.BooleanField(default=False)
    merging = models.BooleanField(default=False)
    waits = models.BooleanField(
        default=False,
        help_text="Closed, and what is left is too small for an order: it joins the next purchase.",
    )
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)
    short_since = models.DateTimeField(null=True, blank=True)
    short_missing = ExactDecimalField(default=Decimal(0))
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "oco_lots"
        ordering = ["opened_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["entry_order_id", "first_trade_id", "first_generation"], name="lot_once"
            ),
            models.CheckConstraint(
                condition=models.Q(side="BUY") | models.Q(unit_cost__isnull=False),
                name="lot_that_buys_has_a_cost",
            ),
        ]
        indexes = [
            models.Index(fields=["entry_order_id"], name="lots_of_entry"),
            models.Index(fields=["base_ccy"], name="lots_open", condition=Q(closed_at=None)),
            models.Index(fields=["base_ccy"], name="lots_waiting", condition=Q(waits=True)),
            models.Index(fields=["opened_at"], name="lots_open_or_waiting", condition=OPEN_OR_WAITING),
            models.Index(fields=["written_off_at"], name="lots_off", condition=~Q(written_off_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.bought} {self.instrument_name}"

    @property
    def exit_side(self) -> ExitSide:
        return ExitSide.SELL if self.side == self.Side.BUY else ExitSide.BUY

    @property
    def spent_currency(self) -> str:
        """The currency that its orders spend."""
        return self.quote_ccy or self.base_ccy

    @property
    def spent_per_coin(self) -> Decimal:
        """In the spent currency."""
        return Decimal(1) if self.unit_cost is None else self.unit_cost

    @property
    def owned(self) -> Decimal:
        """Open quantity, dust included; never negative."""
        rest: Decimal = self.bought - self.sold - self.gone
        return max(rest, Decimal(0))


class LotTrade(models.Model):
    """A trade counts once. Without a lot it was skipped: there was nothing to protect when it came."""

    trade_id = models.CharField(max_length=64, unique=True)
    lot = models.ForeignKey(Lot, null=True, on_delete=models.PROTECT, related_name="trades")

    class Meta:
        db_table = "oco_lot_trades"

    def __str__(self) -> str:
        return self.trade_id


class OcoGroup(models.Model):
    """At most one open group per lot: the database refuses a second (invariant *Unique*)."""

    class Link(models.TextChoices):
        NATIVE = "NATIVE", "linked by the exchange"
        PAIRED = "PAIRED", "linked by us"

    oco_group_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="groups")
    state = models.CharField(max_length=16, choices=list(STATE_LABELS.items()), default=State.PENDING)
    link = models.CharField(max_length=8, choices=Link.choices, default=Link.NATIVE)
    generation = models.IntegerField(help_text="Generation of its newest orders.")
    instrument_name = models.CharField(max_length=64)
    quantity = ExactDecimalField(help_text="Quantity of its newest orders.")
    entry_price = ExactDecimalField(null=True, blank=True)
    stop_price = ExactDecimalField()
    take_profit_price = ExactDecimalField(null=True, blank=True)
    entry_order_id = models.CharField(max_length=64, blank=True)
    list_id = models.CharField(max_length=64, blank=True)
    failures = models.IntegerField(default=0, help_text="Consecutive cycles in which its order was refused.")
    reason = models.TextField(blank=True, help_text="Written by earlier versions, before reason codes.")
    reason_code = models.CharField(max_length=MAX_CODE_LENGTH, blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    exchange_code = models.IntegerField(null=True, blank=True, help_text="Error code of the exchange.")
    state_since = models.DateTimeField()
    uncovered_since = models.DateTimeField(null=True, blank=True)
    last_active_at = models.DateTimeField(null=True, blank=True)
    grace_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.CharField(max_length=64, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.CharField(max_length=64, blank=True)
    correlation_id = models.CharField(
        max_length=CORRELATION_ID_LENGTH,
        blank=True,
        default=correlation_id,
        editable=False,
        help_text="The run or request that caused it.",
    )
    idempotency_key = models.CharField(max_length=128, null=True, blank=True, unique=True)
    is_unaudited = models.BooleanField(default=False, editable=False)

    class Meta:
        db_table = "oco_groups"
        ordering = ["-created_at", "oco_group_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lot"], condition=Q(state__in=sorted(OPEN)), name="one_open_group_per_lot"
            )
        ]
        indexes = [
            models.Index(fields=["state"], name="groups_open", condition=Q(closed_at=None)),
            models.Index(fields=["-closed_at"], name="groups_newest_closed"),
            models.Index(fields=["-created_at"], name="groups_unaudited", condition=Q(is_unaudited=True)),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_name} {self.quantity} {state_label(self.shown_state, self.lot.exit_side)}"

    @property
    def stored_reason(self) -> Reason | None:
        return stored_reason(
            self.reason_code, self.reason_params, text=self.reason, exchange_code=self.exchange_code
        )

    @stored_reason.setter
    def stored_reason(self, new: Reason) -> None:
        self.reason_code, self.reason_params, self.reason = new.code, new.stored_params, ""
        self.exchange_code = new.exchange_code

    @property
    def is_removal_requested(self) -> bool:
        return self.cancel_requested_at is not None and self.closed_at is None

    @property
    def shown_state(self) -> str:
        return shown_state(self.state, self.stored_reason, is_removal_requested=self.is_removal_requested)


class AppendOnly(RuntimeError):
    """The event log is append-only."""


class OcoEvent(models.Model):
    """One change (rule 14). `told` is set once the alerts have read it; nothing else ever changes."""

    group = models.ForeignKey(OcoGroup, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    old = models.CharField(max_length=16, blank=True)
    new = models.CharField(max_length=16)
    reason = models.TextField(blank=True, help_text="Written by earlier versions, before reason codes.")
    reason_code = models.CharField(max_length=MAX_CODE_LENGTH, blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    order_ids = models.JSONField(default=list)
    code = models.IntegerField(null=True, blank=True, help_text="Error code of the exchange.")
    told = models.BooleanField(default=False)
    correlation_id = models.CharField(
        max_length=CORRELATION_ID_LENGTH, blank=True, default=correlation_id, editable=False
    )

    class Meta:
        db_table = "oco_events"
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["id"], name="events_untold", condition=models.Q(told=False)),
            models.Index(fields=["-at", "-id"], name="events_newest"),
        ]

    def __str__(self) -> str:
        states = filter(None, (self.shown_old, self.shown_state))
        return " → ".join(state_label(state, self.group.lot.exit_side) for state in states)

    @classmethod
    def record(
        cls, *, group: OcoGroup, at: datetime, old: str, reason: Reason, order_ids: Sequence[str] = ()
    ) -> "OcoEvent":
        """Add a line for `group`, whose state was `old` before."""
        return cls.objects.create(
            group=group,
            at=at,
            old=old,
            new=group.state,
            code=reason.exchange_code,
            order_ids=list(order_ids),
            **reason.columns,
        )

    @property
    def stored_reason(self) -> Reason | None:
        return stored_reason(self.reason_code, self.reason_params, text=self.reason, exchange_code=self.code)

    @property
    def shown_state(self) -> str:
        return shown_state(self.new, self.stored_reason)

    @property
    def shown_old(self) -> str:
        return shown_state(self.old, self.stored_reason)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("An event is written once.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly("An event is never deleted.")


CLOCK_TOLERANCE = timedelta(seconds=2)


class OcoLeg(models.Model):
    """An intent to place an order, then its known status. The unique `client_oid` makes a second one impossible."""

    class Status(models.TextChoices):
        INTENT = "INTENT", "about to be sent"
        SENT = "SENT", "sent, no response"
        ACCEPTED = "ACCEPTED", "accepted, not read back"
        OPEN = "OPEN", "open, read back"
        FILLED = "FILLED", "filled"
        CANCELED = "CANCELED", "cancelled"
        EXPIRED = "EXPIRED", "expired"
        REJECTED = "REJECTED", "rejected by the exchange"
        REFUSED = "REFUSED", "refused on submission"
        ABSENT = "ABSENT", "never reached the exchange"

    group = models.ForeignKey(OcoGroup, on_delete=models.PROTECT, related_name="legs")
    generation = models.IntegerField()
    order_role = models.CharField(max_length=16, choices=list(ROLE_LABELS.items()))
    name_space = models.CharField(max_length=8)
    client_oid = models.CharField(max_length=36, unique=True)
    type = models.CharField(max_length=16)
    side = models.CharField(max_length=8)
    quantity = ExactDecimalField()
    price = ExactDecimalField(null=True, blank=True)
    trigger_price = ExactDecimalField(null=True, blank=True)
    order_id = models.CharField(max_length=64, blank=True)
    exchange_order_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.INTENT)
    executed = ExactDecimalField(default=Decimal(0))
    end_code = models.IntegerField(default=0)
    sent_at = models.DateTimeField()
    acknowledged = models.BooleanField(default=False, help_text="The exchange confirmed it once.")
    was_lost = models.BooleanField(
        default=False, help_text="Not found once; it is only sent again under the same client_oid."
    )
    earlier = models.JSONField(
        default=list, help_text="Quantities and prices sent under this client_oid before."
    )
    exists = models.BooleanField(default=False, help_text="The exchange reported a duplicate (204).")
    looks = models.IntegerField(default=0, help_text="Successful lookups that did not find it.")
    looked_at = models.DateTimeField(null=True, blank=True)
    cancel_sent_at = models.DateTimeField(null=True, blank=True)
    cancel_answer = models.CharField(max_length=255, blank=True)
    cancel_reason = models.JSONField(null=True, blank=True)
    refused_code = models.IntegerField(null=True, blank=True)
    refused_text = models.CharField(max_length=255, blank=True)
    refused_reason = models.JSONField(null=True, blank=True)

    class Meta:
        db_table = "oco_legs"
        ordering = ["generation", "id"]
        constraints = [models.UniqueConstraint(fields=["group", "generation", "order_role"], name="leg_once")]
        indexes = [
            models.Index(fields=["order_id"], name="legs_by_order", condition=~Q(order_id="")),
            models.Index(fields=["status"], name="legs_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.order_role} {self.quantity} {self.status}"

    @property
    def executes_from(self) -> datetime:
        """No execution is earlier, allowing for clock differences."""
        moment: datetime = self.sent_at
        return moment - CLOCK_TOLERANCE


UNCONFIRMED = (OcoLeg.Status.INTENT, OcoLeg.Status.SENT)  # the order may or may not have reached the exchange
LIVE = (OcoLeg.Status.ACCEPTED, OcoLeg.Status.OPEN)
POSSIBLY_OPEN = (*UNCONFIRMED, *LIVE)


class ProtectionPolicy(models.Model):
    """The rule for one instrument, or with a blank name for all others, by side of the entry (rule 3).

    Policies for sales are off until a user turns one on: then sales for cash are bought back (rule 4).
    """

    class Side(models.TextChoices):
        BUY = "BUY", "bought"
        SELL = "SELL", "sold"

    class OnBreach(models.TextChoices):
        EXIT = "EXIT", "exit at market within 15 minutes"
        ALERT = "ALERT", "alert only"

    class OnHandCancel(models.TextChoices):
        RESPECT = "RESPECT", "leave it unprotected and alert"
        REPLACE = "REPLACE", "place it again"

    instrument_name = models.CharField(max_length=64, blank=True, help_text="Blank: every other instrument.")
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.BUY)
    enabled = models.BooleanField(
        default=True,
        help_text="Off: purchases are shown as unprotected, and sales are not bought back.",
    )
    enabled_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Earlier sales are not bought back."
    )
    stop_pct = ExactDecimalField(
        "stop, in %",
        validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal("99"))],
        help_text="Percent below the average entry price; after a sale, above the sale price.",
    )
    target_pct = ExactDecimalField(
        "target, in %",
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal("900"))],
        help_text="Percent on the other side of the entry price. Blank: stop only.",
    )
    minimum_value_usd = ExactDecimalField(
        "minimum value, in USD",
        default=Decimal("0"),
        validators=[MinValueValidator(Decimal("0"))],
        help_text="A smaller entry waits for further trades. The exchange minimum is 1 USD.",
    )
    on_breach = models.CharField(max_length=8, choices=OnBreach.choices, default=OnBreach.EXIT)
    on_hand_cancel = models.CharField(
        max_length=8, choices=OnHandCancel.choices, default=OnHandCancel.RESPECT
    )
    distance_pct = ExactDecimalField(
        "distance from mark, in %",
        default=Decimal("0.5"),
        validators=[MinValueValidator(Decimal("0"))],
        help_text="Minimum distance of both orders of a pair from mark; nearer, the exchange may refuse them.",
    )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Sales count from the moment at which the policy is enabled."""
        self.enabled_since = (self.enabled_since or timezone.now()) if self.enabled else None
        super().save(*args, **kwargs)

    class Meta:
        db_table = "oco_policies"
        verbose_name_plural = "protection policies"
        ordering = ["instrument_name", "side"]
        constraints = [
            models.UniqueConstraint(fields=["instrument_name", "side"], name="policy_once_per_instrument")
        ]

    def __str__(self) -> str:
        name = self.instrument_name or gettext("every other instrument")
        return name if self.side == self.Side.BUY else f"{name}, {self.get_side_display()}"


class UsedReview(models.Model):
    """A review that a user confirmed: its token works once. Not a record of money; old rows are deleted."""

    nonce = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "oco_used_reviews"

    def __str__(self) -> str:
        return self.nonce
