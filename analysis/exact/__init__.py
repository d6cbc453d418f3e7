"""Exact posteriors: deterministic quadrature over the two hyperparameters, from the density that is sampled."""
