"""The audit log. It names users and addresses, so it needs a login in every mode."""

from dataclasses import dataclass

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from exchange.models import AuditEntry
from exchange.services.permissions import Right
from portfolio.security.access import right_required

PER_PAGE = 50


class AuditFilterForm(forms.Form):
    """Filters of the log; an invalid one is ignored."""

    what = forms.ChoiceField(
        label=_("Type"), required=False, choices=[("", _("all")), *AuditEntry.Action.choices]
    )
    name = forms.CharField(
        label=_("User or trigger"), required=False, max_length=128, help_text=_("Exact match.")
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    @property
    def is_active(self) -> bool:
        """Whether the list is restricted."""
        return bool(self.cleaned_data.get("what") or self.cleaned_data.get("name"))


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`older` is the id below which the next page begins, None on the last page."""

    entries: list[AuditEntry]
    older: int | None


@require_safe
@right_required(Right.VIEW)
def audit_list(request: HttpRequest) -> HttpResponse:
    """Newest first, paginated by primary key: the last page is as fast as the first."""
    filter_form = AuditFilterForm(request.GET)
    filter_form.is_valid()
    page = _page(_filtered_entries(filter_form))
    query_params = request.GET.copy()
    query_params["before"] = str(page.older)
    context = {"filter_form": filter_form, "page": page, "older": query_params.urlencode()}
    return render(request, "audit/list.html", context)


def _filtered_entries(filter_form: AuditFilterForm) -> QuerySet[AuditEntry]:
    entries, cleaned = AuditEntry.objects.order_by("-id"), filter_form.cleaned_data
    if cleaned.get("what"):
        entries = entries.filter(what=cleaned["what"])
    if cleaned.get("name"):
        entries = entries.filter(Q(actor=cleaned["name"]) | Q(correlation_id=cleaned["name"]))
    if cleaned.get("before"):
        entries = entries.filter(pk__lt=cleaned["before"])
    return entries


def _page(entries: QuerySet[AuditEntry]) -> AuditPage:
    found = list(entries[: PER_PAGE + 1])
    return AuditPage(found[:PER_PAGE], found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None)
