"""The kill switch (rule 13)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from exchange.models import AuditEntry, TradingSwitch
from exchange.services.audit_log import audit_record
from oco.services.validation import NotPossible


def switch_off(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """From now on no process creates orders (rule 13)."""
    return _switch(is_off=True, changed_by=changed_by, now=now, reason=reason)


def switch_on(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """Turn trading back on: needs a user, whose name is recorded (rule 13)."""
    if not changed_by:
        raise NotPossible(_("Only a user can turn trading back on."), field="changed_by")
    return _switch(is_off=False, changed_by=changed_by, now=now, reason=reason)


def _switch(*, is_off: bool, changed_by: str, now: datetime, reason: str) -> TradingSwitch:
    what = AuditEntry.Action.SWITCH_OFF if is_off else AuditEntry.Action.SWITCH_ON
    with transaction.atomic():
        switch, _made = TradingSwitch.objects.update_or_create(
            only=True,
            defaults={"is_off": is_off, "changed_at": now, "changed_by": changed_by, "reason": reason},
        )
        audit_record(actor=changed_by, what=what, text=reason)
    return switch
