"""The audit log: who did what to the money. It names people and addresses, so it needs a login in every mode."""

from dataclasses import dataclass

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from exchange.models import AuditEntry

PER_PAGE = 50


class AuditQuestion(forms.Form):
    """What of the log is wanted; what cannot be understood is as if it were not asked."""

    what = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("everything")), *AuditEntry.What.choices]
    )
    name = forms.CharField(
        label=_("Who, or what began it"), required=False, max_length=128, help_text=_("Exactly as shown.")
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`older` is the number below which the next page begins, None on the last."""

    entries: list[AuditEntry]
    older: int | None


@require_safe
@login_required
def audit(request: HttpRequest) -> HttpResponse:
    """Newest first, page by page through the primary key: as quick at the end as at the beginning."""
    question = AuditQuestion(request.GET)
    question.is_valid()
    page = _page(_asked(question))
    kept = request.GET.copy()
    kept["before"] = str(page.older)
    context = {"question": question, "page": page, "older": kept.urlencode()}
    return render(request, "audit/list.html", context)


def _asked(question: AuditQuestion) -> QuerySet[AuditEntry]:
    entries, asked = AuditEntry.objects.order_by("-id"), question.cleaned_data
    if asked.get("what"):
        entries = entries.filter(what=asked["what"])
    if asked.get("name"):
        entries = entries.filter(Q(actor=asked["name"]) | Q(correlation_id=asked["name"]))
    if asked.get("before"):
        entries = entries.filter(pk__lt=asked["before"])
    return entries


def _page(entries: QuerySet[AuditEntry]) -> AuditPage:
    found = list(entries[: PER_PAGE + 1])
    return AuditPage(found[:PER_PAGE], found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None)
