"""What an operator changes: settings and keys."""
