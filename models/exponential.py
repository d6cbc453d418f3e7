"""Survival with a constant hazard from points of curves: the Weibull model at k = 1.

    S_i(t) = exp(-exp(theta_i) t / 12)      theta_i ~ Normal(eta12, tau)

It differs from `log_hazard` in what is taken for the error of a study: patients between points of its curve, not the
printed interval of a median, whose width tells how steep the curve is there.
"""

import sys

from models.curves import model_of

MODEL = model_of("exponential", lambda draws: (None, None), priors={}, summary="Exponential curves from their points",
                 rank=3, likelihood="points of a study's curve, S(t) = exp(-exp(theta) t/12)")

if __name__ == "__main__":
    from analysis.__main__ import run_model
    sys.exit(run_model(MODEL.name))
