"""The rules of protection, each a function from a case to its plan, or nothing where it does not apply (pure)."""
