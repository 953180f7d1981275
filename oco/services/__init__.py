"""What a person may ask for: protect, price anew, release, switch trading off and on. The worker does it."""
