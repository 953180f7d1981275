"""Access rules: login, tokens, password confirmation, sessions."""
