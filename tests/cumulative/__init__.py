"""Estimates year by year, and each study predicted from those before it."""
