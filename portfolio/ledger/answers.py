"""What the pages of the long lists answer: a page, or the same as a file."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from portfolio.ledger.cells import Cell, csv_lines
from portfolio.ledger.forms import PeriodForm
from portfolio.ledger.keyset import Page

FORMAT, AFTER, IDS = "format", "after", "ids"
TEXT = "text"


def wants_file(request: HttpRequest) -> bool:
    return request.GET.get(FORMAT) == "csv"


def wants_ids_as_text(request: HttpRequest) -> bool:
    """For a spreadsheet, which would round them; a program reads the other file."""
    return request.GET.get(IDS) == TEXT


def csv_file(
    name: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    now: datetime | None = None,
    for_sheet: bool = False,
) -> StreamingHttpResponse:
    """A download that is written while it is read."""
    day = timezone.localtime(now or timezone.now())
    lines = csv_lines(head, rows, for_sheet=for_sheet)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{day:%Y-%m-%d}.csv"'
    return answer


def addresses(request: HttpRequest, page: Page[Any]) -> dict[str, str]:
    """Where the older ones, the newest ones and the files are, with the same filters."""
    asked = request.GET.copy()
    for name in (FORMAT, AFTER, IDS):
        asked.pop(name, None)
    for name in [name for name, value in asked.items() if not value]:
        del asked[name]
    base = asked.urlencode()
    asked[AFTER] = str(page.older)
    older = asked.urlencode()
    del asked[AFTER]
    asked[FORMAT] = "csv"
    file = asked.urlencode()
    asked[IDS] = TEXT
    return {
        "newest": f"?{base}",
        "older": f"?{older}",
        "file": f"?{file}",
        "sheet": f"?{asked.urlencode()}",
    }


def is_filtered(form: PeriodForm) -> bool:
    """Whether the form asks for less than everything."""
    return any(form.cleaned_data.values())
