"""The dashboard."""

from portfolio.pages.home.view import home

__all__ = ["home"]
