"""Survival with a plateau: the same share of every study's patients never has the event.

    S_i(t) = c + (1 - c) exp(-exp(theta_i) t / 12)      theta_i ~ Normal(eta12, tau)
    eta12 ~ Normal(log log 2, 1)      tau ~ HalfNormal(0.5)      c ~ Beta(1, 2)

The hazard of the others is constant, so that the hazard of all falls to nothing. What the studies report are points
of their curves (`models.curves`). A study whose median was reached bounds c by one half; c ~ Beta(1, 2) has mean one
third and is highest at no plateau.

References
----------
Boag JW. J R Stat Soc B 1949;11:15, doi 10.1111/j.2517-6161.1949.tb00020.x (mixture of cured and others).
"""

import sys

from models.curves import model_of
from models.priors import Prior

MODEL = model_of("mixture_cure", lambda draws: (draws["cured"], None), priors={"cured": Prior("Beta", (1.0, 2.0))},
                 summary="Mixture of cured patients and a constant hazard", rank=2, without_moments=("median_months",),
                 likelihood="points of a study's curve, S(t) = c + (1 - c) exp(-exp(theta) t/12)")

if __name__ == "__main__":
    from analysis.__main__ import run_model
    sys.exit(run_model(MODEL.name))
