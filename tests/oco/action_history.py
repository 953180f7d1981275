"""A history is a start and a list of verbs: played, checked after each verb, printed and minimised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.oco import checks
from tests.oco.actions import AccountActions
from tests.oco.support import journal

HEALTHY_CYCLES = 10  # after so many cycles without faults everything must be protected
CALM_CYCLES = 2  # consecutive cycles without anything unfinished that end a history
RETRY_CYCLES = 2  # a lone stop tries a pair again after waits that double: it is placed, and all is calm
Verb = tuple[str, tuple[Any, ...], dict[str, Any]]


class Broken(AssertionError):
    """A protection rule was violated."""


class ActionHistory:
    """`begin` are the arguments of AccountActions."""

    def __init__(self, begin: dict[str, Any]) -> None:
        self.begin, self.verbs = begin, list[Verb]()
        self.actions = AccountActions(**begin)
        self._progress: checks.Progress = {}

    def do(self, verb: str, *args: Any, **options: Any) -> None:
        self.verbs.append((verb, args, options))
        getattr(self.actions, verb)(*args, **options)
        self.actions.listen()
        self._raise_if([*checks.violations(self.actions), *self._backward_steps()])

    def _backward_steps(self) -> list[str]:
        """An answer to a read may be corrected by the next one; what the stream says never is the reason."""
        before, self._progress = self._progress, checks.order_progress()
        return [] if self.actions.misread else list(checks.went_backwards(before, self._progress))

    def converge(self) -> None:
        """From any state, cycles without faults lead to full coverage, and the next one sends nothing.

        A single calm cycle may be the waiting cycle of rules 7 and 8.
        """
        self.actions.recover()
        calm = 0
        for _ in range(HEALTHY_CYCLES):
            self.actions.history()
            self.actions.sync()
            self.actions.listen()
            self._raise_if(checks.violations(self.actions))
            calm = 0 if self._unfinished() else calm + 1
            if calm == CALM_CYCLES:
                break
        self.actions.sync()
        for _ in range(RETRY_CYCLES if checks.is_pair_retried() else 0):
            self.actions.sync()
        self._raise_if([*checks.violations(self.actions), *self._unfinished()])

    def _unfinished(self) -> list[str]:
        sent = [method for method in self.actions.requested if "/create-" in method or "/cancel-" in method]
        return [*checks.unfinished(self.actions), *(f"It sends {method}." for method in sent)]

    def _raise_if(self, found: Sequence[str]) -> None:
        if found:
            raise Broken("\n".join([*found, journal(), str(self)]))

    def close(self) -> None:
        self.actions.close()

    def __str__(self) -> str:
        lines = [f"    {verb!r}," for verb in self.verbs]
        return "\n".join([f"play({self.begin!r}, [", *lines, "])"])


def play(begin: dict[str, Any], verbs: Sequence[Verb]) -> None:
    """The whole history, then `converge`. Raises Broken."""
    history = ActionHistory(begin)
    try:
        for verb, args, options in verbs:
            history.do(verb, *args, **options)
        history.converge()
    finally:
        history.close()


def failure_text(begin: dict[str, Any], verbs: Sequence[Verb]) -> str:
    """The failure, or an empty text."""
    try:
        play(begin, verbs)
    except Exception as error:  # noqa: BLE001 - any error is a finding
        return str(error) or type(error).__name__
    return ""


def minimise(begin: dict[str, Any], verbs: Sequence[Verb]) -> tuple[dict[str, Any], list[Verb]]:
    """A history that still fails, from which no verb and no option can be removed."""
    smaller = _without_parts(list(verbs), lambda kept: bool(failure_text(begin, kept)))
    names = _without_parts(
        list(begin), lambda kept: bool(failure_text({name: begin[name] for name in kept}, smaller))
    )
    left = {name: begin[name] for name in names}
    return left, _without_parts(smaller, lambda kept: bool(failure_text(left, kept)))


def _without_parts(items: list[Any], holds: Callable[[list[Any]], bool]) -> list[Any]:
    """Remove halves, quarters, … single items as long as `holds` is true."""
    size = max(len(items) // 2, 1)
    while True:
        index, before = 0, len(items)
        while index < len(items):
            kept = items[:index] + items[index + size :]
            if holds(kept):
                items = kept
            else:
                index += size
        if size == 1 and len(items) == before:
            return items
        size = max(size // 2, 1)
