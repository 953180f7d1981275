"""Pictures from the sprite: Lucide, drawn in the colour of the text beside them."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SPRITE = "vendor/lucide/icons.svg"


@register.simple_tag
def sprite() -> str:
    """The address of all pictures."""
    return static(SPRITE)


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "shield" %}`: decoration only, so the word stands beside it."""
    html = '<svg class="ico" aria-hidden="true"><use href="{}#{}"></use></svg>'
    return format_html(html, static(SPRITE), name)
