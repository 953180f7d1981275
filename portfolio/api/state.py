"""The answer of `/api/dashboard/state`, kept until something of the account changes.

Kept are only the parts that no clock and no heartbeat changes; mode, trading, time and age of the data are of each
request. Nothing of it depends on who asks: whoever may read may read all of it.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2s
from typing import Any

from django.utils.translation import get_language
from rest_framework.renderers import JSONRenderer

from exchange.services.kill_switch_file import file_name
from portfolio.api.serializers import DashboardHeadSerializer, DashboardSerializer
from portfolio.dashboard.selectors import load_dashboard
from portfolio.status.kept import Kept, Made
from portfolio.status.sync_status import LastModified, SyncState, load_last_modified, sync_state
from portfolio.status.trading_mode import Mode, Trading

LANGUAGES_KEPT = 2
HEAD = DashboardHeadSerializer()
JSON = JSONRenderer()


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAnswer:
    """`etag` stays while nothing but the time and the age of the data would differ."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What follows the head, as JSON without its first brace, and a hash of it."""

    mode: Mode
    trading: Trading
    text: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    mode: Mode
    trading: Trading
    as_of: datetime
    sync: SyncState


_kept: Kept[_Body] = Kept(most=LANGUAGES_KEPT)
forget_states = _kept.clear


def load_state(*, now: datetime) -> StateAnswer:
    """One query while nothing has changed."""
    last_modified = load_last_modified()
    revisions = last_modified.revisions
    body = _kept.get(
        get_language(),
        version=None if revisions is None else (revisions.account, file_name()),
        now=now,
        make=lambda: _make_body(now, last_modified),
    )
    sync = sync_state(now=now, last_modified=last_modified)
    head = HEAD.to_representation(_Head(mode=body.mode, trading=body.trading, as_of=now, sync=sync))
    lasting = {**head, "as_of": None, "sync": {**head["sync"], "age_seconds": None}}
    return StateAnswer(
        body=JSON.render(head)[:-1] + b"," + body.text,
        etag=f'W/"{_digest(JSON.render(lasting))}{body.digest}"',
    )


def _make_body(now: datetime, last_modified: LastModified) -> Made[_Body]:
    dashboard = load_dashboard(now=now, last_modified=last_modified)
    data: dict[str, Any] = dict(DashboardSerializer(dashboard).data)
    text = JSON.render({name: value for name, value in data.items() if name not in HEAD.fields})[1:]
    body = _Body(mode=dashboard.mode, trading=dashboard.trading, text=text, digest=_digest(text))
    return Made(body, dashboard.shown_until)


def _digest(text: bytes) -> str:
    return blake2s(text, digest_size=8).hexdigest()
