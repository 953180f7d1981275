"""Is the desk itself well? Sync, clock and key, read from the record of the cycles.

Each look answers with a `Trouble`, with the words that it is well, or with None where the record does not tell:
a cycle that never reached the exchange says nothing about the key.

A sign of life to somewhere else (HEARTBEAT_URL), so that the silence of the whole machine is noticed there.

The address is a secret: it is in no log line and in no error.
"""

import logging
import re
from datetime import datetime, timedelta

import requests
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.client.diagnostics import CLOCK_LIMIT_MS
from exchange.client.error_codes import CODES, ActionClass
from exchange.client.transport import DeadlineAdapter
from exchange.models import SyncRun, TradingSwitch
from exchange.selectors import sync_last_success
from portfolio.alerts.conditions import Trouble, trouble_begin, trouble_end
from portfolio.models import Alert

Kind = Alert.Kind
Look = Trouble | str | None

FAILED_CYCLES = 3
NONCE = 40102  # the clock, not the key
REFUSED = frozenset(code for code, info in CODES.items() if info.action is ActionClass.AUTH) - {NONCE}
CODE = re.compile(r"\[(\d+)\]")
SWITCH_NEWS = timedelta(days=1)


def desk_note_all(*, now: datetime) -> None:
    """Look at everything and begin or end its alert; called by a worker, so that a worker is alive."""
    looks = {"sync": _sync(now), "key": _key(), "clock": _clock()}
    looks["worker"] = _("The worker gives signs of life.")
    for condition, seen in looks.items():
        if isinstance(seen, Trouble):
            trouble_begin(trouble=seen, now=now)
        elif seen is not None:
            trouble_end(condition=condition, text=seen, now=now)
    _note_switch(now)


def _sync(now: datetime) -> Look:
    """Failing when the last three cycles were not complete and none was for three intervals."""
    runs = list(_ended()[:FAILED_CYCLES])
    if runs and runs[0].status == SyncRun.Status.OK:
        return _("The last cycle was complete.")
    success, longest = sync_last_success(), timedelta(seconds=FAILED_CYCLES * settings.SYNC_INTERVAL_SECONDS)
    is_old = success is None or now - success > longest
    if not is_old or len(runs) < FAILED_CYCLES or any(run.status == SyncRun.Status.OK for run in runs):
        return None
    last = _("never") if success is None else f"{timezone.localtime(success):%Y-%m-%d %H:%M:%S %Z}"
    text = _(
        "No cycle was complete for %(count)d intervals; the last one: %(last)s. What rests on the exchange "
        "stays there; nothing new is protected until it works again. The error: %(error)s"
    )
    error = " ".join(map(str, runs[0].errors)) or str(runs[0])
    return Trouble(
        condition="sync",
        kind=Kind.SYNC,
        title=_("The sync with the exchange fails"),
        text=text % {"count": FAILED_CYCLES, "last": last, "error": error},
    )


def _key() -> Look:
    """The newest cycle tells: refused, or answered."""
    run = _ended().first()
    if run is None:
        return None
    refusals = [str(words) for words in run.errors if _is_refusal(str(words))]
    if not refusals:
        heard = run.status != SyncRun.Status.FAILED
        return _("The exchange accepts the key.") if heard else None
    text = _(
        "Nothing can be read or protected with this key. `manage.py check_connection` says more. %(error)s"
    )
    return Trouble(
        condition="key",
        kind=Kind.KEY,
        title=_("The exchange refuses the key"),
        text=text % {"error": refusals[0]},
    )


def _is_refusal(words: str) -> bool:
    return any(int(code) in REFUSED for code in CODE.findall(words))


def _clock() -> Look:
    run = _ended().first()
    if run is None or run.clock_offset_ms is None:
        return None
    seconds = f"{run.clock_offset_ms / 1000:+.1f}"
    if abs(run.clock_offset_ms) <= CLOCK_LIMIT_MS:
        return _("The exchange's clock is %(seconds)s s from this machine's.") % {"seconds": seconds}
    text = _(
        "The exchange's clock is %(seconds)s s from this machine's. Set this machine's clock (NTP): "
        "at 60 s the exchange refuses every call, and nothing can be protected."
    )
    return Trouble(
        condition="clock",
        kind=Kind.CLOCK,
        title=_("This machine's clock is wrong"),
        text=text % {"seconds": seconds},
    )


def _note_switch(now: datetime) -> None:
    """Each turn of the kill switch is told once; the second of a pair is its own “well again”."""
    switch = TradingSwitch.objects.filter(changed_at__gt=now - SWITCH_NEWS).first()
    if switch is None:
        return
    words = {"name": switch.changed_by, "reason": switch.reason or "–"}
    if switch.is_off:
        title = _("Trading was switched off")
        text = _(
            "%(name)s switched trading off: no order is created. Orders that rest stay. Reason: %(reason)s"
        )
    else:
        title = _("Trading was switched on")
        text = _("%(name)s switched trading on: orders are created again. Reason: %(reason)s")
    Alert.objects.get_or_create(
        dedupe_key=f"switch {switch.changed_at.isoformat()}",
        defaults={
            "kind": Kind.SWITCH,
            "title": title,
            "text": text % words,
            "raised_at": now,
            "ended_at": now,
        },
    )


def _ended() -> QuerySet[SyncRun]:
    return SyncRun.objects.exclude(status=SyncRun.Status.RUNNING).order_by("-started_at", "-id")


logger = logging.getLogger("alerts")

DEADLINE_S = 5.0


def heartbeat_ping() -> bool:
    """GET the address, if there is one; whether it answered well. Raises nothing for the network."""
    if not settings.HEARTBEAT_URL:
        return False
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter(DEADLINE_S))
        try:
            answer = session.get(str(settings.HEARTBEAT_URL), timeout=(DEADLINE_S, DEADLINE_S), stream=True)
            status = answer.status_code
            answer.close()
        except requests.RequestException as error:
            logger.warning("Alerts: the heartbeat address did not answer (%s)", type(error).__name__)
            return False
    if status >= requests.codes.bad_request:
        logger.warning("Alerts: the heartbeat address answered %d", status)
    return bool(status < requests.codes.bad_request)
