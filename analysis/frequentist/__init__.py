"""Confidence intervals of the paper's kind and of other frequentist methods, beside the posteriors."""
