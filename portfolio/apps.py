"""What the person sees and is told."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class PortfolioConfig(AppConfig):
    name = "portfolio"
    verbose_name = "Portfolio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portfolio import checks  # noqa: F401  # registers itself
        from portfolio.security.sudo import note_password
        from portfolio.web.middleware import login_note

        user_logged_in.connect(note_password, dispatch_uid="password given")
        user_logged_in.connect(login_note, dispatch_uid="login in the audit log")
