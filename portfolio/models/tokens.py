"""API tokens."""

from django.db import models
from knox.models import AbstractAuthToken

PREFIX_LENGTH = 8


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # the package is not typed
    """An API token that acts for its user. Only its hash is stored (`digest`), with its first letters (`token_key`), by
    which it is found in a list. Without `expiry` it does not expire.
    """

    class Scope(models.TextChoices):
        READ = "read", "read only"
        TRADE = "trade", "read, sync and protect"

    label = models.CharField(max_length=64, blank=True)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.READ)

    class Meta:
        db_table = "api_tokens"
        ordering = ["-created"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.key_prefix}… {self.label}".strip()

    @property
    def key_prefix(self) -> str:
        """Its first letters: enough to identify it, not enough to use it."""
        return str(self.token_key[:PREFIX_LENGTH])

    @property
    def can_write(self) -> bool:
        return self.scope == self.Scope.TRADE
