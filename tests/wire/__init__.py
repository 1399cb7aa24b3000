"""Servers that speak what providers speak, with a script and a log, for the real clients."""
