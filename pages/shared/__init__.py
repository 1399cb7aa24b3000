"""What pages share: session, words, cards, steps, charts and tables."""
