"""What happened: the journal, as a page and as a file."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portfolio.ledger.answers import (
    AFTER,
    addresses,
    csv_file,
    is_filtered,
    wants_file,
    wants_ids_as_text,
)
from portfolio.ledger.forms import JournalForm
from portfolio.ledger.journal import HEAD, Told, journal_file, journal_page
from portfolio.ledger.keyset import Page, Place
from portfolio.security.access import readers_only


@require_safe
@readers_only
def history(request: HttpRequest) -> HttpResponseBase:
    """Purchases, sales, protection and troubles in one list, the newest first."""
    form = JournalForm(request.GET)
    is_sound = form.is_valid()
    if is_sound and wants_file(request):
        return csv_file("history", HEAD, journal_file(form), for_sheet=wants_ids_as_text(request))
    page: Page[Told] = Page(rows=())
    if is_sound:
        page = journal_page(form, after=Place.read(request.GET.get(AFTER, "")))
    context = {
        "form": form,
        "page": page,
        "at": addresses(request, page),
        "is_filtered": is_sound and is_filtered(form),
    }
    return render(request, "ledger/history.html", context, status=200 if is_sound else 400)
