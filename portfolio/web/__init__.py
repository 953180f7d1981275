"""What every page has: frame, display, live panels, middleware."""
