"""Benchmarks of other treatments."""
