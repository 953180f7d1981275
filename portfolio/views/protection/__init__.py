"""The protection pages: positions, one group, and the order forms."""
