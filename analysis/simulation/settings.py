"""Simulation-based calibration: posteriors of data simulated from the prior, at the design of the real studies.

Draw hyperparameters from the prior, study effects and data from the model, and compute the posterior. Over many such
replicates the posterior distribution function at the true value (the probability integral transform, PIT) is uniform
for every quantity if prior, likelihood, data handling and posterior belong together.

References
----------
Talts S et al. arXiv:1804.06788. Modrak M et al. Bayesian Anal 2025;20:461, doi 10.1214/23-BA1404 (test quantities).
"""

FAMILY_LEVEL = 0.999
"""Probability that a calibrated model passes: high, so that an alarm is worth a search."""

DEFAULT_REPLICATES, COVERAGE_REPLICATES = 1000, 500

FAULTS = {
    "prior": "the posterior takes the between-study SD to be twice as large a priori (the odds of rho four times)",
    "counts": "every third study is misread: events and non-events exchanged; for survival a median taken for a mean",
    "level": "printed intervals are read at a level of 68 %, so that every standard error is 1.96 times too large "
             "(curves: patients 3.84 times too few)",
    "twice": "every patient is counted twice; for survival variances are halved, events and person-months doubled",
}
"""Deliberate errors of the analysis that the same test has to find, by name."""
