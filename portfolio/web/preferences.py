"""How one person wants the desk shown. It is kept in cookies, so that it needs no account."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

CHOICES = {
    "theme": ("auto", "light", "dark"),
    "palette": ("teal", "blue"),
    "amounts": ("shown", "hidden"),
}
"""What can be chosen, by the name of its cookie; the first is taken when nothing was chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """`palette` colours gains and losses; `amounts` hidden masks money and quantities, not percentages."""

    theme: str = "auto"
    palette: str = "teal"
    amounts: str = "shown"

    @property
    def hides_amounts(self) -> bool:
        return self.amounts == "hidden"

    @property
    def html_class(self) -> str:
        return f"theme-{self.theme} palette-{self.palette}"


USUAL = Display()
_used: ContextVar[Display] = ContextVar("display", default=USUAL)


def display_of(cookies: Mapping[str, str]) -> Display:
    """What the cookies ask for; a value that we do not know is as good as none."""
    return Display(**chosen(cookies))


def chosen(given: Mapping[str, str]) -> dict[str, str]:
    """The valid choices among `given`."""
    return {name: given[name] for name, values in CHOICES.items() if given.get(name) in values}


def display_now() -> Display:
    """What the answer that is being made is shown with."""
    return _used.get()


@contextmanager
def display_used(display: Display) -> Iterator[None]:
    """Everything inside is shown so: the filters that write numbers know no request."""
    token = _used.set(display)
    try:
        yield
    finally:
        _used.reset(token)
