"""What the person is told, when, and how it gets there."""
