"""The dashboard."""

from portfolio.views.dashboard import home

__all__ = ["home"]
