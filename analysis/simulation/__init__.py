"""Simulate, infer, score: whether intervals cover what they say they cover."""
