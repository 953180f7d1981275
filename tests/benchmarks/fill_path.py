"""`python -m tests.benchmarks.fill_path`: the way of one fill through the program, as counts of calls.

The desk of the stories about protection knows its account and holds no coin, which makes a quiet cycle; then
0.01 BTC are bought at the market, and one cycle finds the fill and protects it; the cycle after that is quiet again.
Every call of a function of ours is noted while a cycle runs; those of the simulator and of the tests are not. The
marks on the way are requests, known by their address, and the event that says ACTIVE, so that they outlive renaming.

Stays: how often the trace comes into a file, be it for one call or for twenty. Returns: stays in a file that was
left before. Crossings: stays whose file belongs to another app than the one before.
These are counts, not times: they are the same on every machine.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.benchmarks import bench

import pytest  # isort: skip
import requests  # isort: skip
import time_machine  # isort: skip
from django.db import connection  # isort: skip
from django.test import override_settings  # isort: skip
from django.utils import timezone  # isort: skip
from tests.exchange.simulator.world import World  # isort: skip
from tests.oco.stream_feed import StreamFeed  # isort: skip
from tests.support import Desk  # isort: skip

ROOT = Path(__file__).parent.parent.parent
NOT_OURS = {"tests", "simulator", ".venv", "migrations"}
TRADES, PAIR = "private/get-trades", "private/advanced/create-oco"
EVENTS, COVERED = "oco_events", "ACTIVE"
MAX_COUNTED = (
    "decide",
    "run_round",
    "groups_snapshot_read",
    "legs_update",
    "policies_read",
    "allocations_read",
    "external_reservations_read",
    "lot_allowances",
    "renew",
)


@dataclass
class Trace:
    """What ran, in order: code objects of ours, and marks by their place among them."""

    calls: list[CodeType] = field(default_factory=list)
    marks: dict[str, list[int]] = field(default_factory=dict)
    statements: Counter[CodeType] = field(default_factory=Counter)
    requests: list[str] = field(default_factory=list)
    is_paused: bool = False

    def mark(self, name: str) -> None:
        self.marks.setdefault(name, []).append(len(self.calls))

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and not self.is_paused and _place(frame.f_code):
            self.calls.append(frame.f_code)

    def stretch(self, begin: str, end: str) -> list[CodeType]:
        """From the first mark of one name to the first of the other one after it."""
        first = self.marks[begin][0]
        return self.calls[first : min(one for one in self.marks[end] if one >= first)]


class Places(dict[CodeType, tuple[str, str] | None]):
    """(file, app) of a function of ours; None for the others."""

    def __missing__(self, code: CodeType) -> tuple[str, str] | None:
        path = Path(code.co_filename)
        inner = path.relative_to(ROOT).parts if path.is_relative_to(ROOT) else ()
        is_ours = len(inner) > 1 and not NOT_OURS & set(inner)
        self[code] = ("/".join(inner), inner[0]) if is_ours else None
        return self[code]


_place = Places().__getitem__


class Line:
    """The line to the exchange: notes when a request leaves and when its answer is there."""

    def __init__(self) -> None:
        self.trace = Trace()

    def session(self, session: requests.Session) -> requests.Session:
        adapter: Any = session.get_adapter("http://simulator")
        send = adapter.send

        def noted(request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            method = str(request.url).split("?")[0].partition("/v1/")[2]
            trace = self.trace
            trace.requests.append(method)
            trace.mark(f"sent {method}")
            trace.is_paused = True
            try:
                answer: requests.Response = send(request, *args, **options)
            finally:
                trace.is_paused = False
                trace.mark(f"answered {method}")
            return answer

        adapter.send = noted
        return session

    def execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        frame: FrameType | None = sys._getframe()
        while frame is not None and not _place(frame.f_code):
            frame = frame.f_back
        if frame is not None:
            self.trace.statements[frame.f_code] += 1
        done = execute(sql, params, many, context)
        if sql.startswith("INSERT") and EVENTS in sql and COVERED in (params or ()):
            self.trace.mark(COVERED)
        return done


@contextmanager
def desk() -> Iterator[tuple[Desk, Line]]:
    """The desk of the stories: it protects by itself, and both live by the clock of the world."""
    line = Line()
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        settings = stack.enter_context(override_settings()) or bench.settings
        traveller = stack.enter_context(time_machine.travel(0, tick=False))
        stack.enter_context(connection.execute_wrapper(line.execute))
        world = World()
        session = world.session
        patch.setattr(world, "session", lambda: line.session(session()))
        found = Desk(world, patch, settings, traveller, protect=True)
        found.tick(0)
        yield found, line


def trace_cycle(desk: Desk, line: Line) -> Trace:
    """One cycle, a minute after the last."""
    line.trace = Trace()
    desk.tick(60)
    sys.setprofile(line.trace.profile)
    try:
        desk.sync(0)
    finally:
        sys.setprofile(None)
    return line.trace


def trace_stream(desk: Desk, line: Line) -> Trace:
    """The same purchase as the user stream announces it, while the stream is live."""
    feed = StreamFeed(desk.world, now=timezone.now, now_ms=desk.world.now_ms, rng=random.Random(1))
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(feed.patched())
        patch.setattr("portfolio.worker.fills.client_from_settings", desk.client)
        patch.setattr("time.sleep", desk.world.tick)
        desk.tick(120)
        feed.step()
        desk.sync_ok()
        while feed.step():
            continue
        desk.tick(10)
        feed.step()  # live, and what the complete cycle has read is no longer needed
        line.trace = Trace()
        desk.world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
        sys.setprofile(line.trace.profile)
        try:
            feed.step()
        finally:
            sys.setprofile(None)
        feed.forget()
    return line.trace


def row(title: str, calls: Sequence[CodeType]) -> list[object]:
    files = [_place(code) for code in calls]
    changes = [(old, new) for old, new in zip([None, *files], files, strict=False) if old != new]
    crossings = sum(old is not None and new is not None and old[1] != new[1] for old, new in changes)
    modules = len(set(files))
    functions = len({(code.co_filename, code.co_qualname) for code in calls})
    counts = (len(calls), functions, modules, len(changes), len(changes) - modules, crossings)
    return [title, *(f"{count:,}" for count in counts)]


def _name(code: CodeType) -> str:
    place = _place(code)
    return f"{place[0] if place else '?'}:{code.co_qualname}"


def _short(counts: Counter[CodeType], most: int) -> None:
    for code, count in counts.most_common(most):
        print(f"  {count:>6,}  {_name(code)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--count", nargs="*", default=MAX_COUNTED, metavar="NAME", help="functions to count by name"
    )
    parser.add_argument("--most", type=int, default=8, help="lines of the lists at the end")
    options = parser.parse_args()
    bench.new_database("fill_path")
    with desk() as (one, line):
        one.sync_ok()
        idle = trace_cycle(one, line)
        one.world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
        fill = trace_cycle(one, line)
        quiet = trace_cycle(one, line)
        stream = trace_stream(one, line)
    _print(fill, quiet, idle, options.count, options.most)
    _print_stream(stream)


def _print_stream(stream: Trace) -> None:
    bench.title("The same purchase, announced by the user stream")
    whole = stream.calls[: stream.marks[COVERED][0]]
    heads = ["stretch", "calls", "functions", "modules", "stays", "returns", "crossings"]
    bench.table(heads, [row(f"message → {COVERED}", whole)])
    print(f"  requests: {len(stream.requests)}, statements: {sum(stream.statements.values())}")


def _print(fill: Trace, quiet: Trace, idle: Trace, counted: Sequence[str], most: int) -> None:
    arrived, left = f"answered {TRADES}", f"sent {PAIR}"
    whole = fill.stretch(arrived, COVERED)
    bench.title("One fill through the program, as calls of our functions")
    heads = ["stretch", "calls", "functions", "modules", "stays", "returns", "crossings"]
    rows = [
        row(f"{TRADES} answered → {PAIR} leaves", fill.stretch(arrived, left)),
        row(f"{PAIR} leaves → {COVERED}", fill.stretch(left, COVERED)),
        row(f"wire → {COVERED}", whole),
        row("whole cycle with the fill", fill.calls),
        row("quiet cycle after it", quiet.calls),
        row("quiet cycle before it", idle.calls),
    ]
    bench.table(heads, rows)
    only = set(fill.calls) - set(idle.calls)
    files = {_place(code) for code in only}
    print(f"\n  only because something was filled: {len(only)} functions in {len(files)} modules")
    print(f"  requests: {len(fill.requests)} with the fill, {len(quiet.requests)} in the quiet cycle")
    spent = [sum(trace.statements.values()) for trace in (fill, quiet)]
    print(f"  statements: {spent[0]} with the fill, {spent[1]} in the quiet cycle")
    print("\nHow often these ran, with the fill and in the quiet cycle")
    bench.table(["function", "fill", "quiet"], [_counts(name, fill, quiet) for name in counted])
    print("\nWhat ran most often between wire and " + COVERED)
    _short(Counter(whole), most)
    print("\nWhat asked the database most often, in statements of the cycle with the fill")
    _short(fill.statements, most)


def _counts(name: str, *traces: Trace) -> list[object]:
    found = [sum(code.co_name == name for code in trace.calls) for trace in traces]
    return [name, *(count or "–" for count in found)]


if __name__ == "__main__":
    main()
