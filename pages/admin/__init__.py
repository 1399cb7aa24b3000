"""What an operator changes, settings and keys, and how it all is."""
