"""What the pages of the long lists answer: a page, or the same as a file."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from portfolio.views.cells import Cell, csv_lines
from portfolio.views.keyset import Page, Place
from portfolio.views.list_forms import PeriodForm

FORMAT, AFTER, IDS = "format", "after", "ids"
TEXT = "text"


def list_answer(
    request: HttpRequest,
    *,
    name: str,
    form: PeriodForm,
    head: Sequence[str],
    file: Callable[[Any], Iterable[Sequence[Cell]]],
    page: Callable[..., Page[Any]],
) -> HttpResponseBase:
    """The list `name`, as a page or as a file. A filter that makes no sense shows no row, and why."""
    is_sound = form.is_valid()
    if is_sound and wants_file(request):
        return csv_file(name, head, file(form), for_sheet=wants_ids_as_text(request))
    found: Page[Any] = Page(rows=())
    if is_sound:
        found = page(form, after=Place.read(request.GET.get(AFTER, "")))
    context = {
        "form": form,
        "page": found,
        "at": addresses(request, found),
        "is_filtered": is_sound and is_filtered(form),
    }
    return render(request, f"ledger/{name}.html", context, status=200 if is_sound else 400)


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
