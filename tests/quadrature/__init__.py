"""Posteriors by deterministic quadrature: a second route to every number, sharing no code with the models."""

from tests.quadrature.effects import (
    Study,
    averages,
    binomial_study,
    landmark_study,
    log_hazard_estimands,
    logit_normal_estimands,
    moments,
    normal_effects,
    normal_study,
    poisson_study,
)
from tests.quadrature.grid import Grid, Reference, of_function
from tests.quadrature.rates import beta_binomial, beta_binomial_estimands

__all__ = ["Grid", "Reference", "Study", "averages", "beta_binomial", "beta_binomial_estimands", "binomial_study",
           "landmark_study", "log_hazard_estimands", "logit_normal_estimands", "moments", "normal_effects",
           "normal_study", "of_function", "poisson_study"]
