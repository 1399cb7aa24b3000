"""What an operator asks: what happened, and to whom."""
