"""Fits of invented studies, and the comparison of their draws with a posterior by quadrature.

Tolerances. A sampled mean may miss the true one by 4 Monte-Carlo standard errors (1 in 16,000 for one number)
plus 5 % of the posterior SD, an interval end by 4 of its own plus 10 %: what a reader would not notice. The
reference itself is right to 0.005 SD.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from arviz_stats.base import array_stats

from analysis.cases.settings import BESIDE, HEADLINE, Job, Question
from analysis.evidence.loading import load
from analysis.inference import fitting
from analysis.inference.fitting import Fit
from models import all_models
from models.priors import parse_prior
from models.studies import Studies
from tests.casing import bare_case, run
from tests.evidence.build import write_evidence
from tests.exact.rate_cases import CASES
from tests.exact.solved import rates
from tests.quadrature import Reference

_HEADER = ("study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,upper_not_reached,n,events,"
           "person_months\n")


def fitted(model: str, studies: Studies, *, horizon: float = 12.0, priors: Mapping[str, str] | None = None,
           **job: object) -> Fit:
    """The fit of studies that stand in no table, under the model's priors or some others."""
    known = all_models()[model]
    case = bare_case(known, studies, known.with_priors({name: parse_prior(text) for name, text in
                                                        (priors or {}).items()}), horizon=horizon)
    return fitting.run(replace(case, job=replace(case.job, **job)))


@cache
def fitted_case(model: str, case: str) -> Fit:
    """The headline fit of a known case, made once.

    Where a second attempt is due, which has four times as many draws, the first one is shorter.
    """
    short = (model, case) == ("logit_normal", "large_and_homogeneous")
    return fitted(model, rates(*CASES[case]), sampler=BESIDE if short else HEADLINE)


def fit_rates(folder: Path, events: Sequence[int], evaluable: Sequence[int], **job: object) -> Fit:
    """The fit of counts, one study for each pair, from files."""
    rows = "".join(f"s{i},cr,{y},{n}\n" for i, (y, n) in enumerate(zip(events, evaluable, strict=True)))
    directory = write_evidence(folder, studies=_studies(len(events)),
                               responses="study_id,endpoint,events,n\n" + rows)
    return run(load(directory), Job(Question("cr"), **job))


def fit_survival(folder: Path, rows: Sequence[str], **job: object) -> Fit:
    """The fit of survival rows, one study each, given as the cells after the endpoint."""
    table = _HEADER + "".join(f"s{i},os,{row}\n" for i, row in enumerate(rows))
    directory = write_evidence(folder, studies=_studies(len(rows)), responses=None, survival=table,
                               endpoints="endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n")
    return run(load(directory), Job(Question("os"), **job))


def _studies(count: int) -> str:
    return "study_id,label,year\n" + "".join(f"s{i},Study {i},2020\n" for i in range(count))


def draws_of(fit: Fit) -> dict[str, np.ndarray]:
    """All draws by name, shape (chain, draw); the columns of studies are numbered."""
    chains = fit.sampler.chains
    found = {str(name): values.values for name, values in fit.posterior.items()}
    for quantity in fit.quantities:
        columns = quantity.draws.reshape(chains, -1, *quantity.draws.shape[1:])
        if columns.ndim == 2:
            found[quantity.name] = columns
        else:
            found |= {f"{quantity.name}_{at}": columns[..., at] for at in range(columns.shape[2])}
    return found


def assert_agrees(draws: Mapping[str, np.ndarray], reference: Mapping[str, Reference], *,
                  quantiles_only: Sequence[str] = ()) -> None:
    """Fail with every number that lies further from the reference than sampling explains."""
    wrong = []
    for name, expected in reference.items():
        values = draws[name]
        limits = np.subtract(*np.quantile(values, [0.975, 0.025])) / 3.92
        without_mean = name in quantiles_only or not np.isfinite(expected.mean)
        spread = limits if without_mean else expected.sd
        checks = [] if without_mean else [("mean", values.mean(), expected.mean, 0.05, {})]
        checks += [(str(p), np.quantile(values, p), wanted, 0.10, {"prob": p})
                   for p, wanted in ((0.025, expected.lower), (0.975, expected.upper)) if np.isfinite(wanted)]
        for what, got, wanted, share, options in checks:
            error = float(array_stats.mcse(values, chain_axis=0, draw_axis=1,
                                           method="quantile" if options else "mean", **options))
            if not abs(got - wanted) <= share * spread + 4.0 * error:
                wrong.append(f"{name} {what}: {got:.6g}, quadrature {wanted:.6g} (SD {spread:.3g}, MCSE {error:.2g})")
    assert not wrong, "\n".join(wrong)


def assert_clean(fit: Fit) -> None:
    """Fail unless the fit passed its diagnostics without a divergence."""
    assert fit.diagnostics.failures == ()
    assert fit.diagnostics.divergences == 0
    assert fit.estimates
