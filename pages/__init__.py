"""The console: each page asks core one question per panel and draws the answer."""
