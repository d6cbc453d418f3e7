"""Survival whose hazard may fall: Weibull curves, one for each study, with one shape for all.

    log H_i(t) = theta_i + k log(t / 12)      theta_i ~ Normal(eta12, tau)
    eta12 ~ Normal(log log 2, 1)      tau ~ HalfNormal(0.5)      k ~ LogNormal(0, 0.5)

H_i(t) is the cumulative hazard of study i, so that its survival is exp(-H_i(t)); below k = 1 the hazard falls with
time, at k = 1 it is constant. What the studies report are points of their curves (`models.curves`).

Why these priors. Survival at 12 months of the typical study lies between 0.7 and 99 % with 95 %, as under a constant
hazard with a median of 12 months and a factor of 7 either way. k lies between 0.38 and 2.7 with 95 %: a hazard that
falls, as after treatment with a plateau, and one that rises, are equally likely before the data.
"""

import sys

from models.curves import model_of
from models.priors import Prior

MODEL = model_of("weibull", lambda draws: (None, draws["shape"]), priors={"shape": Prior("LogNormal", (0.0, 0.5))},
                 summary="Weibull curves of one shape", rank=1,
                 likelihood="points of a study's curve, log H(t) = theta + k log(t/12), theta ~ Normal(eta12, tau)")

if __name__ == "__main__":
    from analysis.__main__ import run_model
    sys.exit(run_model(MODEL.name))
