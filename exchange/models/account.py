"""Which account this database belongs to."""

from django.db import models


class AccountBinding(models.Model):
    """The one environment and exchange account whose record this database is."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    environment = models.CharField(max_length=16)
    account_uuid = models.CharField(max_length=64)
    key_tail = models.CharField(max_length=4, blank=True)
    bound_at = models.DateTimeField()
    verified_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.environment} {self.account_uuid}"
