"""Keeps an open page up to date.

A page requests itself again with the header `X-Live: <revision> <panel>=<mark> …`. While nothing has changed the
response is 204 and costs one query. Else the page is rendered again, and only the panels (`{% live %}`) whose mark
differs from that of the browser are sent. A page may lend its requests panels of an earlier one (`request.kept_panels`)
that would be the same.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2s
from typing import Self

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from exchange.services.kill_switch_file import file_name
from portfolio.security.access import may_read
from portfolio.status.sync_status import (
    LastModified,
    SyncState,
    load_last_modified,
    sync_state,
    worker_is_silent,
)

REVISION, WAITING, PEEK = "X-Live-Revision", "X-Live-Waiting", "X-Live-Peek"
TIME_TEXT = re.compile(r"(<time[^>]*>)[^<]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """What the browser has: its revision and the mark of each panel. `is_peek` only asks whether something changed."""

    revision: str
    panels: frozenset[str]
    is_peek: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Self | None:
        """None for any other request."""
        has = request.headers.get("X-Live", "").split()
        if not has or request.method != "GET" or not may_read(request):
            return None
        return cls(revision=has[0], panels=frozenset(has[1:]), is_peek=PEEK in request.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a page that can be replaced. Its mark ignores ages, which the browser updates itself."""

    name: str
    html: str
    mark: str = ""

    def __post_init__(self) -> None:
        if not self.mark:
            stable_html = TIME_TEXT.sub(r"\1", self.html)
            mark = blake2s(stable_html.encode(), digest_size=4).hexdigest()
            object.__setattr__(self, "mark", mark)

    def with_ages(self, html: str) -> Self:
        """The same panel, with other ages."""
        return replace(self, html=html)

    def to_html(self, *, swap: str = "") -> str:
        return f'<div id="live-{self.name}" data-live="{self.name}={self.mark}"{swap}>{self.html}</div>'


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPanels:
    """Panels that are the same in every request with the same key; `names` are those that may be kept."""

    names: frozenset[str]
    panels: dict[str, Panel]
    now: datetime


def live_response(
    live_request: LiveRequest, request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]
) -> HttpResponse:
    """204, or the changed panels. A page that can no longer be shown is left as it is."""
    now = revision()
    if live_request.revision == now:
        return HttpResponse(status=204)
    if live_request.is_peek:
        return HttpResponse(status=204, headers={WAITING: "yes"})
    panels: list[Panel] = []
    request.live_panels, request.is_live = panels, True  # type: ignore[attr-defined]
    if get_response(request).status_code != 200:
        return HttpResponse(status=204)
    changed = [panel for panel in panels if f"{panel.name}={panel.mark}" not in live_request.panels]
    html = "".join(panel.to_html(swap=' hx-swap-oob="true"') for panel in changed)
    return HttpResponse(html, headers={REVISION: now})


def revision(*, last_modified: LastModified | None = None, sync: SyncState | None = None) -> str:
    """A hash of everything shown: one query, or none.

    It changes with the name of the age of the data too, with the state of the stream, with the kill switch as a file,
    and when the worker falls silent or is back.
    """
    read, now = last_modified or load_last_modified(), timezone.now()
    known = sync or sync_state(now=now, last_modified=read)
    stream = (str(known.stream.status), known.stream.since, known.is_deaf)
    text = (
        f"{read.fingerprint_text()} {known.status} {stream} {file_name()} {worker_is_silent(read, now=now)}"
    )
    return blake2s(text.encode(), digest_size=6).hexdigest()
