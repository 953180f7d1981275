"""Requests of users: protect, change prices, remove protection, turn trading on and off. The worker executes them."""
