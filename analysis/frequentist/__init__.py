"""Confidence intervals of the paper's kind and of other frequentist methods, beside the posteriors."""

from analysis.frequentist.catalogue import BY_KEY, METHODS, Method, methods_of
from analysis.frequentist.interval import Interval
from analysis.frequentist.methods import has_interval, methods_for, paper_method

__all__ = ["BY_KEY", "METHODS", "Interval", "Method", "has_interval", "methods_for", "methods_of", "paper_method"]
