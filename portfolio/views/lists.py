"""Long lists as a page or as CSV: cursor pagination, and CSV cells that are exact and harmless in a spreadsheet.

Filters are sent by GET, so that every view has its own address.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any, Generic, Self, TypeVar

from django import forms
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, override, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from exchange.core.numbers import number_format, plain_sentences, sheet_text
from exchange.core.texts import escape_control
from exchange.core.times import EPOCH
from exchange.fields import format_decimal
from exchange.models import ExchangeOrder
from exchange.schemas import OPEN_STATUSES, TERMINAL_STATUSES
from exchange.selectors import UNKNOWN
from portfolio.accounting.pnl import SaleResult
from portfolio.formatting import LABELS, ORDER_PILLS

Role, Origin = ExchangeOrder.Role, ExchangeOrder.Origin
ANY = ("", _("Any"))
SHOW_CHOICES = (("", _("All")), ("open", _("Open")), ("executed", _("Executed")))
SIDE_CHOICES = (ANY, ("BUY", pgettext_lazy("side", "Buy")), ("SELL", pgettext_lazy("side", "Sell")))
LAST_DAY = date(9998, 12, 30)  # a day later is still a date, in every time zone
FIRST_DAY = date(1970, 1, 2)
T = TypeVar("T")
M = TypeVar("M", bound=Model)
PAGE_SIZE = 25
FILE_BATCH_SIZE = 500
MICROSECOND = timedelta(microseconds=1)
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula, also in full width."""
UTF8_BOM = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""
Cell = object
MAX_EXACT_DIGITS = 15
"""A spreadsheet takes digits for a number and keeps no more than these."""
FORMAT_PARAM, CURSOR_PARAM, IDS_PARAM = "format", "after", "ids"
IDS_AS_TEXT = "text"


# Filters


def _label_choices(values: Any) -> tuple[Any, ...]:
    return (ANY, *((value, LABELS[value]) for value in values))


def _status_choices() -> tuple[Any, ...]:
    # Each label once; `PENDING` has the same as `NEW`.
    known = (OPEN_STATUSES | TERMINAL_STATUSES | {UNKNOWN}) - {"PENDING"}
    return (ANY, *((value, ORDER_PILLS[value][2]) for value in sorted(known)))


class DayField(forms.DateField):
    """A day in TIME_ZONE."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(required=False, input_formats=["%Y-%m-%d"], widget=widget, **kwargs)

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and not FIRST_DAY <= value <= LAST_DAY:
            raise forms.ValidationError(_("Date out of range."))


class PeriodFilterForm(forms.Form):
    """From the start of one day to the end of another."""

    instrument = forms.CharField(required=False, max_length=64, label=_("Instrument"))
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))

    def clean_instrument(self) -> str:
        """`eth/usd` is ETH_USD."""
        return str(self.cleaned_data["instrument"]).strip().upper().replace("/", "_")

    @property
    def period_start(self) -> datetime | None:
        day = self.cleaned_data.get("since")
        return None if day is None else _midnight(day)

    @property
    def period_end(self) -> datetime | None:
        """Start of the following day."""
        day = self.cleaned_data.get("until")
        return None if day is None else _midnight(day + timedelta(days=1))


class OrderFilterForm(PeriodFilterForm):
    """The period is that of the last update."""

    show = forms.ChoiceField(required=False, choices=SHOW_CHOICES, label=_("Show"))
    status = forms.ChoiceField(required=False, choices=_status_choices, label=_("Status"))
    side = forms.ChoiceField(required=False, choices=SIDE_CHOICES, label=_("Side"))
    role = forms.ChoiceField(required=False, choices=_label_choices(Role.values), label=_("Role"))
    origin = forms.ChoiceField(required=False, choices=_label_choices(Origin.values), label=_("Sent by"))
    group = forms.UUIDField(required=False, label=_("Protection"), widget=forms.HiddenInput)

    field_order = ("show", "instrument", "side", "status", "role", "origin", "since", "until", "group")


class ActivityFilterForm(PeriodFilterForm):
    """Which kinds of activity."""

    FILLS, PROTECTION, SYNC = "fills", "protection", "sync"
    kind = forms.ChoiceField(
        required=False,
        label=_("Type"),
        choices=(
            ("", _("All")),
            (FILLS, _("Buys and sells")),
            (PROTECTION, _("Protection")),
            (SYNC, _("Sync errors")),
        ),
    )

    field_order = ("kind", "instrument", "since", "until")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


# Pages and files


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Where a page ended: time of the row, its kind where there are several, and its key."""

    at: int
    rank: int
    key: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From the query string; None without one, or for an invalid one."""
        try:
            at, rank, key = (int(part) for part in text.split("_"))
        except ValueError:
            return None
        return cls(at, rank, key) if max(abs(at), abs(rank), abs(key)) < 2**63 else None

    def __str__(self) -> str:
        return f"{self.at}_{self.rank}_{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Rows, newest first; `older` is where the next page begins, None on the last one."""

    rows: Sequence[T]
    older: Cursor | None = None
    is_first: bool = True


def to_microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def paginate_newest_first(rows: QuerySet[M], column: str, *, after: Cursor | None, size: int) -> Page[M]:
    """The next `size` of `rows` by a time `column`, then by key. One query, along the index of that column."""
    found = list(_after(rows, column, after).order_by(f"-{column}", "-id")[: size + 1])
    last = found[size - 1] if len(found) > size else None
    older = None if last is None else Cursor(to_microseconds(getattr(last, column)), 0, last.pk)
    return Page(rows=found[:size], older=older, is_first=after is None)


def iterate_rows(page: Callable[[Cursor | None], Page[T]]) -> Iterator[T]:
    """All rows, a page at a time, so that no transaction stays open while a file is downloaded."""
    after: Cursor | None = None
    while True:
        found = page(after)
        yield from found.rows
        if found.older is None:
            return
        after = found.older


def cell_text(value: Cell, *, for_sheet: bool = False) -> str:
    """Plain decimals, times in UTC with Z; a text that looks like a formula gets an apostrophe before it.

    A negative number is no text and stays a number. Control characters of a text are escaped. `for_sheet`: numbers
    have the decimal sign of the reader's language, and an id with more digits than a spreadsheet keeps gets the
    apostrophe too, and is read as text.
    """
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return sheet_text(value) if for_sheet else format_decimal(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    if isinstance(value, int):
        return str(value)
    text = escape_control(str(value))
    is_long_id = for_sheet and text.isdigit() and len(text) > MAX_EXACT_DIGITS
    return f"'{text}" if is_long_id or text.lstrip(" ").startswith(FORMULA_PREFIXES) else text


def result_cells(result: SaleResult | None) -> Sequence[Cell]:
    """The P&L of a sale and the quantity that it leaves out; empty where there is none."""
    return [None, None] if result is None else [result.realised_usd, result.unexplained]


def csv_lines(
    head: Sequence[str], rows: Iterable[Sequence[Cell]], *, for_sheet: bool = False
) -> Iterator[str]:
    """One line at a time: the file is never in memory as a whole. A sheet with decimal commas has semicolons."""
    separator = ";" if for_sheet and number_format().decimal == "," else ","
    yield UTF8_BOM + _line(head, separator)
    for row in rows:
        yield _line([cell_text(cell, for_sheet=for_sheet) for cell in row], separator)


def in_english(rows: Iterable[T]) -> Iterator[T]:
    """For programs: texts in the same language for everybody, with plain numbers."""
    remaining = iter(rows)
    while True:
        with override("en"), plain_sentences():
            row = next(remaining, None)
        if row is None:
            return
        yield row


def in_language(lines: Iterator[str], language: str) -> Iterator[str]:
    """A download is written after the request, and with it the reader's language, has ended."""
    while True:
        with override(language):
            line = next(lines, None)
        if line is None:
            return
        yield line


def list_response(
    request: HttpRequest,
    *,
    name: str,
    form: PeriodFilterForm,
    head: Sequence[str],
    file: Callable[[Any], Iterable[Sequence[Cell]]],
    page: Callable[..., Page[Any]],
) -> HttpResponseBase:
    """The list `name` as a page or as CSV. An invalid filter shows no rows, and an error."""
    form_is_valid = form.is_valid()
    if form_is_valid and wants_csv(request):
        for_sheet = wants_sheet(request)
        return csv_response(
            name, head, file(form) if for_sheet else in_english(file(form)), for_sheet=for_sheet
        )
    found: Page[Any] = Page(rows=())
    if form_is_valid:
        found = page(form, after=Cursor.read(request.GET.get(CURSOR_PARAM, "")))
    context = {
        "form": form,
        "page": found,
        "at": list_urls(request, found),
        "is_filtered": form_is_valid and is_filtered(form),
    }
    return render(request, f"lists/{name}.html", context, status=200 if form_is_valid else 400)


def wants_csv(request: HttpRequest) -> bool:
    return request.GET.get(FORMAT_PARAM) == "csv"


def wants_sheet(request: HttpRequest) -> bool:
    """The file for spreadsheets, which read the numbers of their language and would round long ids."""
    return request.GET.get(IDS_PARAM) == IDS_AS_TEXT


def csv_response(
    name: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    now: datetime | None = None,
    for_sheet: bool = False,
) -> StreamingHttpResponse:
    """A streaming download."""
    day = timezone.localtime(now or timezone.now())
    lines = in_language(csv_lines(head, rows, for_sheet=for_sheet), get_language() or "en")
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{day:%Y-%m-%d}.csv"'
    return answer


def list_urls(request: HttpRequest, page: Page[Any]) -> dict[str, str]:
    """Links to older rows, newest rows and files, with the same filters."""
    query = request.GET.copy()
    for name in (FORMAT_PARAM, CURSOR_PARAM, IDS_PARAM):
        query.pop(name, None)
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    base = query.urlencode()
    query[CURSOR_PARAM] = str(page.older)
    older = query.urlencode()
    del query[CURSOR_PARAM]
    query[FORMAT_PARAM] = "csv"
    file = query.urlencode()
    query[IDS_PARAM] = IDS_AS_TEXT
    return {
        "newest": f"?{base}",
        "older": f"?{older}",
        "file": f"?{file}",
        "sheet": f"?{query.urlencode()}",
    }


def is_filtered(form: PeriodFilterForm) -> bool:
    """Whether the form restricts the list."""
    return any(form.cleaned_data.values())


def _after(rows: QuerySet[M], column: str, cursor: Cursor | None) -> QuerySet[M]:
    if cursor is None:
        return rows
    try:
        at = EPOCH + cursor.at * MICROSECOND
    except OverflowError:
        return rows.none()
    earlier = Q(**{f"{column}__lt": at}) | Q(**{column: at, "pk__lt": cursor.key})
    return rows.filter(earlier, **{f"{column}__lte": at})


def _line(cells: Sequence[str], separator: str) -> str:
    text = StringIO()
    csv.writer(text, delimiter=separator).writerow(cells)
    return text.getvalue()
