"""Everything that writes what the person sees."""
