"""Ways from one row of the record to the others, and to the desk's own pages."""

from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html

DASH = "–"


def list_link(model: type[Model], text: str, **query: str) -> str:
    """A link to the admin's list of `model`, narrowed by `query`."""
    return far_list(_name(model), text, **query)


def far_list(name: str, text: str, **query: str) -> str:
    """As `list_link`, by the name of a model of a room above, like `portfolio_alert`."""
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{name}_changelist"), urlencode(query), text)


def link(name: str, text: object, *args: object) -> str:
    """A link to the address of this name, on the desk or in the admin."""
    return format_html('<a href="{}">{}</a>', reverse(name, args=args), text)


def group_link(group_id: UUID | str, text: object = "") -> str:
    """To the protection of this id; it lives in a room above."""
    return link("admin:oco_ocogroup_change", text or group_id, group_id)


def uuid_of(text: str) -> UUID | None:
    """The id in `text`, None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _name(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"
