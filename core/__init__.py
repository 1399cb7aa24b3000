"""Waywarden's logic: recommends, runs, contains and measures workflows; draws nothing."""
