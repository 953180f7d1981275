"""The audit log (who did what to the money, and the result) and the kill switch."""

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.core.observability import CORRELATION_ID_LENGTH, correlation_id
from exchange.core.reasons import MAX_CODE_LENGTH, Reason, stored_reason

ACTOR_LENGTH = 128


class AppendOnlyError(RuntimeError):
    """The audit log is append-only."""


class AppendOnlyQuerySet(models.QuerySet["AuditEntry"]):
    """Refuses every update and delete."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("An entry of the audit log is never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("An entry of the audit log is never deleted.")


class AuditEntry(models.Model):
    """One request of a user, or one request that the program sent to the exchange.

    `actor` is a user, a command line, or the holder of the lease; `from_address` is known for web users only.
    `result` is the outcome; for sent requests, what the response proves (`Outcome`). `text` is the request,
    as data or in a user's own words.
    """

    class Action(models.TextChoices):
        PROTECT = "PROTECT", _("requested protection")
        CANCEL_PROTECTION = "CANCEL_PROTECTION", _("requested removal of protection")
        REPRICE = "REPRICE", _("changed the prices")
        SWITCH_OFF = "SWITCH_OFF", _("switched trading off")
        SWITCH_ON = "SWITCH_ON", _("switched trading on")
        POLICY = "POLICY", _("changed a policy")
        PAIR_PLACE = "PAIR_PLACE", _("sent an OCO pair")
        ORDER_PLACE = "ORDER_PLACE", _("sent an order")
        ORDER_CANCEL = "ORDER_CANCEL", _("sent a cancellation")
        PAIR_CANCEL = "PAIR_CANCEL", _("sent the cancellation of a pair")
        CANCEL_ALL = "CANCEL_ALL", _("sent the cancellation of all orders")
        TOKEN_MADE = "TOKEN_MADE", _("created a token")
        TOKEN_REVOKED = "TOKEN_REVOKED", _("revoked a token")
        LOGIN = "LOGIN", _("logged in")
        RESTORE = "RESTORE", _("restored a backup")

    at = models.DateTimeField()
    actor = models.CharField(max_length=ACTOR_LENGTH)
    from_address = models.CharField(max_length=45, blank=True)
    what = models.CharField(max_length=20, choices=Action.choices)
    object_ids = models.JSONField(
        default=list, help_text="Ids of groups, orders (exchange and client ids) and tokens."
    )
    text = models.TextField(blank=True)
    reason_code = models.CharField(max_length=MAX_CODE_LENGTH, blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    result = models.CharField(max_length=16)
    code = models.IntegerField(null=True, blank=True, help_text="Response code of the exchange.")
    correlation_id = models.CharField(
        max_length=CORRELATION_ID_LENGTH, blank=True, default=correlation_id, db_index=True
    )

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "audit_entries"
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["what", "-id"], name="audit_by_what"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.get_what_display()}: {self.result}"

    @property
    def stored_reason(self) -> Reason | None:
        """The outcome or the change, if it adds to `text`."""
        return stored_reason(self.reason_code, self.reason_params, text="", exchange_code=self.code)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("An entry of the audit log is never changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("An entry of the audit log is never deleted.")


class TradingSwitch(models.Model):
    """While `is_off`, no process creates an order (rule 13). Cancellations stay possible."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    is_off = models.BooleanField(default=False, help_text="Trading is switched off.")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=64)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = "kill switch"
        verbose_name_plural = "kill switch"

    def __str__(self) -> str:
        return gettext("Trading is switched off") if self.is_off else gettext("Trading is on")
