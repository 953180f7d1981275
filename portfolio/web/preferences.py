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
class Preferences:
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


DEFAULT_PREFERENCES = Preferences()
_current: ContextVar[Preferences] = ContextVar("display", default=DEFAULT_PREFERENCES)


def preferences_from(cookies: Mapping[str, str]) -> Preferences:
    """What the cookies ask for; a value that we do not know is as good as none."""
    return Preferences(**valid_choices(cookies))


def valid_choices(given: Mapping[str, str]) -> dict[str, str]:
    """The valid choices among `given`."""
    return {name: given[name] for name, values in CHOICES.items() if given.get(name) in values}


def current_preferences() -> Preferences:
    """What the answer that is being made is shown with."""
    return _current.get()


@contextmanager
def use_preferences(preferences: Preferences) -> Iterator[None]:
    """Everything inside is shown so: the filters that write numbers know no request."""
    token = _current.set(preferences)
    try:
        yield
    finally:
        _current.reset(token)
