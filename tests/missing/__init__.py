"""Tests of what the unreported studies can have shown."""
