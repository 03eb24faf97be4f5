"""Foedus: the world's alliances as validated, reasoned, citable linked data."""

__version__ = "0.1.0"
