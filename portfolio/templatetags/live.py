"""`{% live "name" %}…{% endlive %}`: a part of a page that is replaced when it changes."""

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe

from portfolio.web.live import Panel

register = template.Library()


class LiveNode(template.Node):
    """Its panel goes into the page, and to `live_answer` when an open page asks what is new."""

    def __init__(self, name: FilterExpression, inner: NodeList) -> None:
        self.name, self.nodelist = name, inner

    def render(self, context: Context) -> SafeString:
        html = self.nodelist.render(context).strip()
        panel = Panel(name=str(self.name.resolve(context)), html=html)
        collected = getattr(context.get("request"), "live_panels", None)
        if collected is not None:
            collected.append(panel)
        return mark_safe(panel.wrapped())  # noqa: S308  # made of what the template has escaped


@register.tag("live")
def live(parser: Parser, token: Token) -> LiveNode:
    """One panel: no form in it, for a token differs each time. Ages go into `<time>`, which does not count."""
    _, name = token.split_contents()
    inner = parser.parse(("endlive",))
    parser.delete_first_token()
    return LiveNode(parser.compile_filter(name), inner)
