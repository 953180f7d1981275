"""Rules for injected faults: which calls fail, and how. Applied by fault_injection, stale_reads and server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal

Phase = Literal["before", "answer", "after"]

KINDS: dict[str, Phase] = {
    "delay": "before",  # seconds: the answer comes late
    "drop_before": "before",  # the connection breaks, nothing was done
    "refuse": "before",  # code, message?, status?: refused, nothing was done
    "http": "before",  # status, body? ("json", "html", "text"): a gateway answers, nothing was done
    "maintenance": "before",  # 9010001 without id
    "process_later": "before",  # seconds: the connection breaks now, and the call is processed that much later
    "ignore_cancel": "before",  # cancels are accepted and never done
    "stale": "answer",  # age_s: the answer is that old
    "without_ids": "answer",  # an accepted order whose answer has no ids
    "code_with_ids": "answer",  # code: an order was booked, yet a code comes back with its ids
    "empty": "answer",  # lists without rows, a balance without tokens, an order without fields
    "missing_fields": "answer",  # fields: names that rows lack
    "strings": "answer",  # every number as a string
    "numbers": "answer",  # amounts and prices as JSON numbers
    "unknown_fields": "answer",  # additional, undocumented fields
    "unknown_status": "answer",  # status: orders show an undocumented status
    "lie": "answer",  # values: what rows say instead; where?: only rows with these values
    "hide_order": "answer",  # seconds: the order just created cannot be read for that long
    "process_then_drop": "after",  # done, but the connection breaks
    "process_then_refuse": "after",  # done, but a code comes back: code, status?
    "process_then_http": "after",  # done, but a gateway answers: status, body?
    "garbage": "after",  # done, the body is noise
    "truncate": "after",  # done, the body is cut: keep? (share of the bytes)
    "slow_body": "after",  # done, the body takes seconds to arrive
}


@dataclass(slots=True)
class FaultRule:
    """One fault. `nth` counts matching calls from 1; `every` repeats; `times` limits how often it fires."""

    id: int
    kind: str
    method: str = "*"
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    struck: int = 0

    def should_fire(self, draw: float) -> bool:
        """Count this call; whether the fault applies to it."""
        self.seen += 1
        spent = self.times is not None and self.struck >= self.times
        missed = self.probability is not None and draw >= self.probability
        if spent or missed or not self._is_nth_call():
            return False
        self.struck += 1
        return True

    def _is_nth_call(self) -> bool:
        if self.nth is not None:
            return self.seen == self.nth
        return self.every is None or self.seen % self.every == 0


class Faults:
    """All rules in force. The same seed and calls give the same faults."""

    def __init__(self, seed: int = 1, kinds: Mapping[str, Phase] = KINDS) -> None:
        self.kinds = kinds
        self.rules: list[FaultRule] = []
        self._random = Random(seed)  # noqa: S311
        self._ids = 0

    def add(
        self,
        kind: str,
        method: str = "*",
        *,
        nth: int | None = None,
        every: int | None = None,
        probability: float | None = None,
        times: int | None = None,
        **detail: Any,
    ) -> int:
        """A new rule; `method` is a glob such as "private/advanced/*". Returns its id. ValueError: unknown kind."""
        if kind not in self.kinds:
            raise ValueError(f"no fault is called {kind}; there are {', '.join(self.kinds)}")
        self._ids += 1
        self.rules.append(FaultRule(self._ids, kind, method, nth, every, probability, times, detail))
        return self._ids

    def remove(self, rule_id: int) -> None:
        self.rules = [rule for rule in self.rules if rule.id != rule_id]

    def clear(self) -> None:
        self.rules = []

    def reseed(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311

    def matching_rules(self, method: str, kinds: Collection[str] | None = None) -> list[FaultRule]:
        """The rules (of these kinds) that apply to this call. Counts the call, so use it once per call."""
        wanted = self.kinds if kinds is None else kinds
        matching = [rule for rule in self.rules if rule.kind in wanted and fnmatchcase(method, rule.method)]
        return [rule for rule in matching if rule.should_fire(self._random.random())]

    @property
    def has_stale_rules(self) -> bool:
        return any(rule.kind == "stale" for rule in self.rules)

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": rule.id,
                "kind": rule.kind,
                "method": rule.method,
                "seen": rule.seen,
                "struck": rule.struck,
            }
            | rule.detail
            for rule in self.rules
        ]


def rules_in_phase(rules: list[FaultRule], requested: Phase) -> list[FaultRule]:
    return [rule for rule in rules if KINDS[rule.kind] == requested]
