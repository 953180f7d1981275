"""Who may do what: login, tokens, the password asked again, limits."""
