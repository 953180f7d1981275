"""What the account is worth, was worth, and what its coins cost."""
