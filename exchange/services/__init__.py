"""Everything that writes the mirror of the exchange."""
