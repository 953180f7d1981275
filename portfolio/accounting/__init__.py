"""Balances, valuation, equity curve, cost basis, realised P&L and unexplained balance changes."""
