"""What happened: the journal, as a page and as a file."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from portfolio.security.access import readers_only
from portfolio.views.answers import list_answer
from portfolio.views.journal import HEAD, journal_file, journal_page
from portfolio.views.list_forms import JournalForm


@require_safe
@readers_only
def history(request: HttpRequest) -> HttpResponseBase:
    """Purchases, sales, protection and troubles in one list, the newest first."""
    form = JournalForm(request.GET)
    return list_answer(request, name="history", form=form, head=HEAD, file=journal_file, page=journal_page)
