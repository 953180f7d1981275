"""Display preferences, kept in cookies, so that they need no user account."""

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
    """`palette` colours gains and losses; hidden amounts mask money and quantities, not percentages."""

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
    """From the cookies; unknown values are ignored."""
    return Preferences(**valid_choices(cookies))


def valid_choices(given: Mapping[str, str]) -> dict[str, str]:
    """The valid choices among `given`."""
    return {name: given[name] for name, values in CHOICES.items() if given.get(name) in values}


def current_preferences() -> Preferences:
    """The preferences of the current request."""
    return _current.get()


@contextmanager
def use_preferences(preferences: Preferences) -> Iterator[None]:
    """For the code inside: the filters that format numbers have no request."""
    token = _current.set(preferences)
    try:
        yield
    finally:
        _current.reset(token)
