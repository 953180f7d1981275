"""What all pages share: context, preferences, live panels, charts, middleware."""
