"""A history is a beginning and a list of verbs: played, judged after each verb, printed, made small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.oco import checks
from tests.oco.actions import AccountActions
from tests.oco.support import journal

HEALTHY_CYCLES = 10  # cycles, after which everything must be as it should
CALM_CYCLES = 2  # of these in a row, and it is the end
Verb = tuple[str, tuple[Any, ...], dict[str, Any]]


class Broken(AssertionError):
    """A promise was not kept."""


class ActionHistory:
    """`begin` are the arguments of AccountActions."""

    def __init__(self, begin: dict[str, Any]) -> None:
        self.begin, self.verbs = begin, list[Verb]()
        self.actions = AccountActions(**begin)

    def do(self, verb: str, *args: Any, **options: Any) -> None:
        self.verbs.append((verb, args, options))
        getattr(self.actions, verb)(*args, **options)
        self._judge(checks.violations(self.actions))

    def converge(self) -> None:
        """From wherever it is: healthy cycles lead to cover, and the next one sends nothing.

        One calm cycle may be the one of grace that rules 7 and 8 grant.
        """
        self.actions.recover()
        calm = 0
        for _ in range(HEALTHY_CYCLES):
            self.actions.history()
            self.actions.sync()
            self._judge(checks.violations(self.actions))
            calm = 0 if self._unfinished() else calm + 1
            if calm == CALM_CYCLES:
                break
        self.actions.sync()
        self._judge([*checks.violations(self.actions), *self._unfinished()])

    def _unfinished(self) -> list[str]:
        sent = [method for method in self.actions.requested if "/create-" in method or "/cancel-" in method]
        return [*checks.unfinished(self.actions), *(f"It sends {method}." for method in sent)]

    def _judge(self, wrong: Sequence[str]) -> None:
        if wrong:
            raise Broken("\n".join([*wrong, journal(), str(self)]))

    def close(self) -> None:
        self.actions.close()

    def __str__(self) -> str:
        lines = [f"    {verb!r}," for verb in self.verbs]
        return "\n".join([f"play({self.begin!r}, [", *lines, "])"])


def play(begin: dict[str, Any], verbs: Sequence[Verb]) -> None:
    """The whole history, and then its healthy end. Raises Broken."""
    history = ActionHistory(begin)
    try:
        for verb, args, options in verbs:
            history.do(verb, *args, **options)
        history.converge()
    finally:
        history.close()


def failure_text(begin: dict[str, Any], verbs: Sequence[Verb]) -> str:
    """Why it fails, or nothing."""
    try:
        play(begin, verbs)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        return str(error) or type(error).__name__
    return ""


def minimise(begin: dict[str, Any], verbs: Sequence[Verb]) -> tuple[dict[str, Any], list[Verb]]:
    """A history that fails still, from which no verb and no option can be left out."""
    smaller = _without_parts(list(verbs), lambda kept: bool(failure_text(begin, kept)))
    names = _without_parts(
        list(begin), lambda kept: bool(failure_text({name: begin[name] for name in kept}, smaller))
    )
    left = {name: begin[name] for name in names}
    return left, _without_parts(smaller, lambda kept: bool(failure_text(left, kept)))


def _without_parts(items: list[Any], holds: Callable[[list[Any]], bool]) -> list[Any]:
    """Leave out halves, quarters, … single ones, as long as it is `still` so."""
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
