"""Under which name something happens, and from where: one name from the request or cycle that began it to the
orders, events, alerts and log lines that came of it.

Names are put on a trail: `run-15` is a cycle, `req-3f9a…` a request of the web, `cmd-…` a command. Whoever goes
on with what another one began puts that name on top. A row keeps the name on top, a log line shows the trail.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LENGTH = 40
_trail: ContextVar[tuple[str, ...]] = ContextVar("trail", default=())
_address: ContextVar[str] = ContextVar("address", default="")


def name_new(kind: str) -> str:
    """A name that nothing else has."""
    return f"{kind}-{secrets.token_hex(6)}"


def correlation_id() -> str:
    """The name on top, empty outside of everything."""
    return (_trail.get() or ("",))[-1]


def trail() -> str:
    """All names, the outermost first."""
    return " ".join(_trail.get())


def from_address() -> str:
    """Where the person is who asked, empty for a program."""
    return _address.get()


@contextmanager
def correlated(name: str, *, address: str = "") -> Iterator[None]:
    """What happens in the block belongs to `name`. An empty name (a row of older days) changes nothing."""
    known = _trail.get()
    kept = _trail.set((*known, name) if name and name not in known[-1:] else known)
    kept_address = _address.set(address or _address.get())
    try:
        yield
    finally:
        _address.reset(kept_address)
        _trail.reset(kept)
