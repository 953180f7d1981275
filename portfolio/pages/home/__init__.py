"""The dashboard."""

from portfolio.views.view import home

__all__ = ["home"]
