"""Buttons that ask whether they may be used: left out, disabled with the reason, or as they are."""

from typing import Any

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portfolio.templatetags.labels import icon
from portfolio.web.actions import Action, ActionState

register = template.Library()


@register.simple_tag(takes_context=True)
def action_link(
    context: Context,
    name: str,
    text: str,
    href: str,
    *,
    css: str = "",
    about: str = "",
    explain: bool = False,
) -> SafeString:
    """A link to the form of an action. Left out for users without the right, unless it is the point of its place and
    has to `explain` that. `about` is added to its accessible name, where `text` says too little.
    """
    state = _state(context, name)
    if state.missing_right and not explain:
        return SafeString()
    words = format_html('{}<span class="vh"> {}</span>', text, about) if about else text
    if not state.refusal:
        return format_html('<a class="{}" href="{}">{}</a>', _css(css), href, words)
    html = '<a class="{}" role="link" tabindex="0" aria-disabled="true" title="{}"{}>{}</a>{}'
    return format_html(
        html,
        _css(css),
        state.refusal,
        _described(context, name),
        words,
        _reason(state, explain=explain),
    )


@register.simple_tag(takes_context=True)
def action_button(
    context: Context,
    name: str,
    text: str,
    *,
    css: str = "",
    picture: str = "",
    quiet: bool = False,
    **attributes: str,
) -> SafeString:
    """The button of a form. The form itself stands in `{% if … .is_permitted %}`. `quiet` shows only the picture."""
    state = _state(context, name)
    words = format_html('<span class="vh">{}</span>', text) if quiet else text
    shown = format_html("{}{}", icon(picture) if picture else "", words)
    known = {"title": text} if quiet else {}
    if state.refusal:
        known["title"] = state.refusal
        return format_html(
            '<button type="button" class="{}" aria-disabled="true"{}{}>{}</button>',
            _css(css),
            _attributes(known),
            _described(context, name),
            shown,
        )
    return format_html('<button class="{}"{}>{}</button>', _css(css), _attributes(known | attributes), shown)


@register.simple_tag(takes_context=True)
def action_reasons(context: Context) -> SafeString:
    """What describes the disabled buttons of the page: once, for assistive technology."""
    found = {action: _state(context, action).refusal for action in Action}
    rows = [
        format_html('<span id="why-{}">{}</span>', action, words) for action, words in found.items() if words
    ]
    return mark_safe("".join(rows))  # noqa: S308  # each is escaped


def _state(context: Context, name: str) -> ActionState:
    state: ActionState = getattr(context["page_context"].actions, name)
    return state


def _css(css: str) -> str:
    return f"btn {css}".rstrip()


def _described(context: Context, name: str) -> SafeString:
    return format_html(' aria-describedby="why-{}"', name)


def _reason(state: ActionState, *, explain: bool) -> SafeString:
    return format_html('<span class="muted">{}</span>', state.refusal) if explain else SafeString()


def _attributes(values: dict[str, Any]) -> SafeString:
    return mark_safe("".join(format_html(' {}="{}"', name, value) for name, value in values.items()))  # noqa: S308
