"""Prices to watch, candles read into signals, and the list of what is watched."""
