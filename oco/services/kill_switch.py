"""The kill switch (rule 13): a row for everyone, and a file that holds when the database does not."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from exchange.models import AuditEntry, TradingSwitch
from exchange.services.audit_log import audit_record
from exchange.services.kill_switch_file import file_clear, file_name, file_set
from exchange.services.permissions import Right, require
from oco.services.validation import NotPossible

logger = logging.getLogger(__name__)


def stop_trading(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """From now on no process creates orders (rule 13). Raises PermissionDenied.

    The file comes first: when the database then raises its Error, trading is off on this machine all the same.
    """
    require(Right.MANAGE)
    try:
        file_set(name=changed_by)
    except OSError as error:
        return _switch_without_file(error, changed_by=changed_by, now=now, reason=reason)
    return _switch(is_off=True, changed_by=changed_by, now=now, reason=reason)


def resume_trading(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """Turn trading back on: needs a user, whose name is recorded (rule 13). Raises PermissionDenied, NotPossible."""
    require(Right.MANAGE)
    if not changed_by:
        raise NotPossible(_("Only a user can turn trading back on."), field="changed_by")
    with transaction.atomic():
        switch = _switch(is_off=False, changed_by=changed_by, now=now, reason=reason)
        try:
            file_clear()
        except OSError as error:
            words = _("The file of the kill switch cannot be removed (%(error)s). Trading stays off.")
            raise NotPossible(words % {"error": error.strerror}) from None
    return switch


def trading_is_stopped() -> bool:
    """By the row or by the file; the settings can turn trading off too. Raises the Error of the database."""
    return file_name() is not None or TradingSwitch.objects.filter(is_off=True).exists()


def switch_store_file(*, now: datetime) -> None:
    """Store what was turned off while the database could not be written, so that every machine and page knows."""
    name = file_name()
    if name is not None and not TradingSwitch.objects.filter(is_off=True).exists():
        _switch(is_off=True, changed_by=name, now=now, reason="kill switch file")


def _switch_without_file(error: OSError, *, changed_by: str, now: datetime, reason: str) -> TradingSwitch:
    # The row alone is enough while the database works.
    switch = _switch(is_off=True, changed_by=changed_by, now=now, reason=reason)
    logger.warning("The kill switch is on, but has no file (%s): it ends with the database", error.strerror)
    return switch


def _switch(*, is_off: bool, changed_by: str, now: datetime, reason: str) -> TradingSwitch:
    what = AuditEntry.Action.SWITCH_OFF if is_off else AuditEntry.Action.SWITCH_ON
    with transaction.atomic():
        switch, _made = TradingSwitch.objects.update_or_create(
            only=True,
            defaults={"is_off": is_off, "changed_at": now, "changed_by": changed_by, "reason": reason},
        )
        audit_record(actor=changed_by, what=what, text=reason)
    return switch
