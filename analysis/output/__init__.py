"""Folders of results: whole or as they were, and only those that are new, empty or known by their manifest."""

from analysis.output.folders import adding, replacing

__all__ = ["adding", "replacing"]
