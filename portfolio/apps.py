"""Pages, API, alerts and the worker."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class PortfolioConfig(AppConfig):
    name = "portfolio"
    verbose_name = "Portfolio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portfolio import checks  # noqa: F401  # registers itself
        from portfolio.security.sudo import record_password_given
        from portfolio.web.middleware import record_login
        from portfolio.worker.task_queue import restrict_queue

        restrict_queue()
        user_logged_in.connect(record_password_given, dispatch_uid="password given")
        user_logged_in.connect(record_login, dispatch_uid="login in the audit log")
