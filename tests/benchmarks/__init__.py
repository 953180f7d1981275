"""What the desk costs, as counts and as ratios measured in one run; no test looks at a clock."""
