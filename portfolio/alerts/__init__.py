"""Alerts: the checks that raise them, their texts, and how they are sent."""
