"""The watchlist, and signals calculated from candles."""
