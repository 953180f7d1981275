"""How a wish is refused."""


class NotPossible(ValueError):
    """What was asked cannot be done; the words are for the person. `field` names what to change."""

    def __init__(self, words: str, *, field: str = "") -> None:
        super().__init__(words)
        self.field = field
