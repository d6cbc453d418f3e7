"""Folders of results: whole or as they were, and only those that are new, empty or known by their manifest."""

from analysis.output.folders import adding, exchanging, replacing

__all__ = ["adding", "exchanging", "replacing"]
