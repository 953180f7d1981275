"""The walk through a history reads everything or says what it could not read, whatever the windows mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core.times import MS_PER_DAY, NS_PER_MS
from exchange.sync.pagination import PAGE_SIZE, Gap, HistorySource, Page, TimeWindow, paginate_history
from tests.share import examples

START_MS = 1_700_000_000_000
NAMES = ("BTC_USD", "ETH_USD", "SOL_USD")


@dataclass(frozen=True)
class Row:
    id: str
    created_ns: int
    timestamp_ns: int
    name: str = "BTC_USD"


@dataclass
class FakeExchange:
    """Answers at most 100 rows of a window, with the semantics that a test gives it."""

    rows: Sequence[Row]
    by_creation: bool = False
    in_ns: bool = True
    ascending_ties: bool = False
    order: str = "newest"
    asked: list[TimeWindow] = field(default_factory=list)

    def fetch(self, span: TimeWindow) -> list[Row]:
        self.asked.append(span)
        start, end = (span.start_ns, span.end_ns) if self.in_ns else _floored(span)
        found = [row for row in self.rows if start <= self._key(row) < end]
        found = [row for row in found if not span.instrument_name or row.name == span.instrument_name]
        return self._page(found)

    def _key(self, row: Row) -> int:
        return row.created_ns if self.by_creation else row.timestamp_ns

    def _page(self, found: list[Row]) -> list[Row]:
        if self.order == "any":
            return sorted(found, key=lambda row: hash((row.id, len(self.asked))))[:PAGE_SIZE]
        if self.order == "creation":
            return sorted(found, key=lambda row: -row.created_ns)[:PAGE_SIZE]
        unit = 1 if self.in_ns else NS_PER_MS
        tie = 1 if self.ascending_ties else -1
        return sorted(found, key=lambda row: (-(row.timestamp_ns // unit), tie * int(row.id)))[:PAGE_SIZE]


def _floored(span: TimeWindow) -> tuple[int, int]:
    return span.start_ns // NS_PER_MS * NS_PER_MS, span.end_ns // NS_PER_MS * NS_PER_MS


def source_of(fake: FakeExchange, *, has_ns: bool = False, known: Sequence[str] = ()) -> HistorySource[Row]:
    return HistorySource(
        fetch=fake.fetch,
        timestamp_ns=lambda row: row.timestamp_ns,
        row_id=lambda row: row.id,
        instrument=lambda row: row.name,
        newest_first=fake.order == "newest",
        has_ns=has_ns,
        known_instruments=known,
    )


def window(ms: int, first: int = START_MS) -> TimeWindow:
    return TimeWindow(start_ns=first * NS_PER_MS, end_ns=(first + ms) * NS_PER_MS)


def read(source: HistorySource[Row], span: TimeWindow) -> tuple[set[str], list[Gap], list[Page[Row]]]:
    pages = list(paginate_history(source, span))
    return {row.id for page in pages for row in page.rows}, [g for page in pages for g in page.gaps], pages


def rows_at(ms: Sequence[int], *, name: str = "BTC_USD", first_id: int = 0) -> list[Row]:
    stamps = [(START_MS + each) * NS_PER_MS for each in ms]
    return [Row(str(first_id + n), stamp, stamp, name) for n, stamp in enumerate(stamps)]


def test_a_page_that_is_not_full_is_the_whole_window():
    fake = FakeExchange(rows_at(range(99)))
    found, gaps, pages = read(source_of(fake), window(1000))
    assert len(found) == 99
    assert not gaps
    assert [page.left_until_ns for page in pages] == [START_MS * NS_PER_MS]


def test_an_empty_window_takes_one_request():
    fake = FakeExchange([])
    assert read(source_of(fake), window(1000))[0] == set()
    assert len(fake.asked) == 1


def test_a_full_page_is_followed_by_an_older_one_that_overlaps():
    fake = FakeExchange(rows_at(range(0, 2500, 10)))
    found, gaps, _ = read(source_of(fake), window(MS_PER_DAY))
    assert len(found) == 250
    assert not gaps
    assert len(fake.asked) == 3


def test_rows_that_end_exactly_at_a_full_page_are_not_taken_for_more():
    """A full page at the border of the window: one more look, then it is sure that nothing is left."""
    fake = FakeExchange(rows_at(range(100)))
    found, gaps, pages = read(source_of(fake), window(100))
    assert len(found) == 100
    assert not gaps
    assert pages[-1].left_until_ns == START_MS * NS_PER_MS


@pytest.mark.parametrize("count", [101, 150, 350])
def test_more_than_a_page_in_one_millisecond_is_read_by_nanoseconds(count):
    stamps = [START_MS * NS_PER_MS + 7 * n for n in range(count)]
    fake = FakeExchange([Row(str(n), stamp, stamp) for n, stamp in enumerate(stamps)])
    found, gaps, _ = read(source_of(fake, has_ns=True), window(MS_PER_DAY, START_MS - 1000))
    assert len(found) == count
    assert not gaps


def test_where_nanoseconds_are_not_honoured_the_instruments_are_asked_one_by_one():
    """Both instruments are found in the busy millisecond itself; the doubt is told all the same."""
    busy = [*rows_at([5] * 70), *rows_at([5] * 80, name="ETH_USD", first_id=70)]
    fake = FakeExchange(busy, in_ns=False)
    found, gaps, pages = read(source_of(fake, has_ns=True), window(1000))
    assert len(found) == 150
    assert [gap.reason for gap in gaps] == [
        "more than 100 rows in one millisecond; asked 2 instruments one by one"
    ]
    assert pages[-1].left_until_ns == START_MS * NS_PER_MS


def test_an_instrument_that_no_answer_named_is_asked_because_we_knew_it():
    busy = [*rows_at([5] * 30, name="ETH_USD"), *rows_at([5] * 120, first_id=30)]
    fake = FakeExchange(busy)
    assert len(read(source_of(fake), window(1000))[0]) == 100
    found, gaps, _ = read(source_of(fake, known=["ETH_USD"]), window(1000))
    assert {str(n) for n in range(30)} <= found
    assert gaps


def test_more_than_a_page_of_one_instrument_in_one_millisecond_is_a_gap_that_is_told():
    fake = FakeExchange([*rows_at([5] * 120), *rows_at([1, 9], first_id=120)])
    found, gaps, _ = read(source_of(fake), window(1000))
    assert {"120", "121"} <= found
    assert len(found) == 102
    tick = (START_MS + 5) * NS_PER_MS
    assert gaps[-1] == Gap(
        tick, tick + NS_PER_MS, "BTC_USD", "more than 100 rows of BTC_USD in one millisecond"
    )


@pytest.mark.parametrize("order", ["creation", "any"])
def test_where_the_order_of_the_rows_is_not_sure_the_window_is_halved(order):
    """Of the advanced family it is not documented, and an answer that only looks sorted proves nothing."""
    ms = START_MS * NS_PER_MS
    rows = [Row(str(n), ms + n * NS_PER_MS, ms + (400 - n % 150) * NS_PER_MS) for n in range(390)]
    fake = FakeExchange(rows, order=order)
    found, gaps, _ = read(source_of(fake), window(1000))
    assert len(found) == 390
    assert not gaps


def test_an_answer_that_only_looks_sorted_hides_nothing():
    """Sorted by creation: the newest hundred ended at once, and fifty old ones were cancelled after them."""
    ms = START_MS * NS_PER_MS
    at_once = [Row(str(n), ms + n * NS_PER_MS, ms + n * NS_PER_MS) for n in range(200, 350)]
    late = [Row(str(n), ms + n * NS_PER_MS, ms + (400 + n) * NS_PER_MS) for n in range(50)]
    fake = FakeExchange([*at_once, *late], order="creation")
    assert len(read(source_of(fake), window(1000))[0]) == 200


def test_an_answer_that_is_not_sorted_is_not_paged_by_its_oldest_row():
    """Even of a stream that is sorted as a rule: the newest hundred by creation hide older updates."""
    ms = START_MS * NS_PER_MS
    rows = [Row(str(n), ms + n * NS_PER_MS, ms + (400 - n % 150) * NS_PER_MS) for n in range(390)]
    fake = FakeExchange(rows, order="creation")
    source = replace(source_of(fake), newest_first=True)
    assert len(read(source, window(1000))[0]) == 390


def test_an_order_stamped_a_millisecond_before_its_creation_is_not_lost():
    """Seen once in a recording: a window by creation that is paged by update time must overlap by that much."""
    created = [(START_MS + 10 + n // 3) * NS_PER_MS for n in range(150)]
    rows = [Row(str(n), ns, ns - NS_PER_MS) for n, ns in enumerate(created)]
    fake = FakeExchange(rows, by_creation=True)
    found, gaps, _ = read(source_of(fake), window(1000))
    assert len(found) == 150
    assert not gaps


def test_what_is_left_is_told_after_each_page_and_can_be_read_on_later():
    """Stopped after any page, the walk goes on later from `left_until_ns` and misses nothing."""
    fake = FakeExchange([*rows_at([n // 3 for n in range(500)]), *rows_at([90] * 40, first_id=500)])
    everything = {row.id for row in fake.rows}
    span = window(1000)
    for stop in range(1, len(list(paginate_history(source_of(fake), span)))):
        head = [page for page, _ in zip(paginate_history(source_of(fake), span), range(stop), strict=False)]
        tail = list(
            paginate_history(
                source_of(fake), TimeWindow(start_ns=span.start_ns, end_ns=head[-1].left_until_ns)
            )
        )
        assert {row.id for page in [*head, *tail] for row in page.rows} == everything


ORDERS = ("newest", "creation", "any")


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Up to 400 rows, crowded: many in few milliseconds, updated at once or later, as bursts or spread."""
    rows: list[Row] = []
    for _ in range(draw(st.integers(1, 6))):
        first = draw(st.integers(0, 2000))
        width_us = draw(st.sampled_from([0, 1, 900, 5_000, 400_000]))
        late_ms = draw(st.sampled_from([-1, 0, 0, 3, 700]))
        for n in range(draw(st.integers(1, 130))):
            step = width_us * 1000 * n // 130 + draw(st.sampled_from([0, 0, 1, 999_999]))
            created = (START_MS + first) * NS_PER_MS + step
            stamp = max(created + late_ms * NS_PER_MS, START_MS * NS_PER_MS)
            rows.append(Row(str(len(rows)), created, stamp, draw(st.sampled_from(NAMES))))
    return rows


@settings(max_examples=examples(200), deadline=None)
@given(
    rows=histories(),
    by_creation=st.booleans(),
    in_ns=st.booleans(),
    has_ns=st.booleans(),
    ascending_ties=st.booleans(),
    order=st.sampled_from(ORDERS),
)
def test_every_row_is_read_or_a_gap_is_told_and_it_always_ends(
    rows, by_creation, in_ns, has_ns, ascending_ties, order
):
    if has_ns:
        rows = [Row(row.id, row.timestamp_ns, row.timestamp_ns, row.name) for row in rows]
    else:
        rows = [Row(r.id, _ms(r.created_ns), _ms(r.timestamp_ns), r.name) for r in rows]
    fake = FakeExchange(
        rows, by_creation=by_creation, in_ns=in_ns, ascending_ties=ascending_ties, order=order
    )
    span = window(10_000)
    found, gaps, pages = read(source_of(fake, has_ns=has_ns), span)
    key = (lambda row: row.created_ns) if by_creation else (lambda row: row.timestamp_ns)
    lost = {row.id for row in rows if span.start_ns <= key(row) < span.end_ns} - found
    outside = [row for row in rows if row.id in lost if not _is_told(key(row), row.name, gaps)]
    assert not outside
    assert all(_crowd(rows, key, gap) >= PAGE_SIZE for gap in gaps)
    assert len(fake.asked) < 40 + 15 * len(rows)
    left = [page.left_until_ns for page in pages]
    assert left == sorted(left, reverse=True)
    assert left[-1] == span.start_ns
    assert all(each % NS_PER_MS == 0 for each in left)


def _ms(ns: int) -> int:
    return ns // NS_PER_MS * NS_PER_MS


def _crowd(rows: list[Row], key: Callable[[Row], int], gap: Gap) -> int:
    """How many rows there are in the millisecond of a gap: with fewer than a page there was no need for one."""
    return sum(1 for row in rows if _ms(gap.start_ns) <= key(row) < _ms(gap.start_ns) + NS_PER_MS)


def _is_told(ns: int, name: str, gaps: list[Gap]) -> bool:
    return any(
        _ms(gap.start_ns) <= ns < gap.end_ns + NS_PER_MS and gap.instrument_name in ("", name) for gap in gaps
    )
