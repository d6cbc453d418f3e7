"""Predictive checks, and later studies predicted from the review's."""
