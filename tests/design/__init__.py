"""Tests of planning the next trial."""
