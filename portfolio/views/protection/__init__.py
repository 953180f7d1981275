"""Protection on pages: what is covered, one group in full, and the order forms."""
