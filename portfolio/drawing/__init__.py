"""Geometry of the small charts, as text for SVG attributes (pure). Percent, so that it fits any width."""
