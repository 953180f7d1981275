"""Texts of others, made safe to show."""

import re

# Control characters of every kind, what turns the direction of writing, and what has no width. Kept: tab, line ends.
INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)
LINE_ENDS = re.compile(r"[\n\r]")


def escape_control(text: str) -> str:
    """Control characters as escapes such as `\\x1b`: a terminal would obey them, and a reader cannot see them."""
    return INVISIBLE.sub(_escape, text)


def escape_line(text: str) -> str:
    """Like `escape_control`, and it stays one line: nothing in it can look like a line of its own."""
    return LINE_ENDS.sub(_escape, escape_control(text))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode()
