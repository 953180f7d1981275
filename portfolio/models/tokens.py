"""What lets a program in."""

from django.db import models
from knox.models import AbstractAuthToken

PREFIX_LENGTH = 8


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # the package is not typed
    """A program's way in, as whoever it was made for. Only a hash of it is kept (`digest`), with the first
    letters (`token_key`), by which it is found again in a list. Without `expiry` it never ends.
    """

    class Scope(models.TextChoices):
        READ = "read", "read"
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
        """Its first letters: enough to know it by, not enough to use it."""
        return str(self.token_key[:PREFIX_LENGTH])

    @property
    def can_write(self) -> bool:
        return self.scope == self.Scope.TRADE
