"""The processes of a desk and their rhythm."""
