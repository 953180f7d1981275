"""What we promise to protect, and the decisions that keep the promise."""

from django.apps import AppConfig


class OcoConfig(AppConfig):
    name = "oco"
    verbose_name = "Protection"
    default_auto_field = "django.db.models.BigAutoField"
