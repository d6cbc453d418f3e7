"""Exact posteriors of invented studies, and their comparison with a quadrature that shares no code."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from analysis.inference.density import density_of
from analysis.inference.grid import Grid, solve
from analysis.inference.pooled import hyperparameters, pooled
from models import all_models
from models.priors import parse_prior
from models.studies import HazardStudies, RateStudies, Studies
from tests.quadrature import Reference


def rates(events: Sequence[int], evaluable: Sequence[int]) -> RateStudies:
    return RateStudies([f"s{at}" for at in range(len(events))], events, evaluable)


def hazards(normal: Sequence[tuple[float, float, float]], counts: Sequence[tuple[float, ...]] = ()) -> HazardStudies:
    """Studies with (log hazard, error below, error above), then studies with (events, person-months[, landmark])."""
    total = len(normal) + len(counts)
    rows = np.array([(*row, 0.0, 0.0, 0.0) for row in normal]
                    + [(np.nan, np.nan, np.nan, *row, 0.0)[:6] for row in counts])
    return HazardStudies([f"s{at}" for at in range(total)], *rows.T[:5], [20] * total, rows.T[5])


def solved(model: str, studies: Studies, **priors: str) -> Grid:
    known = all_models()[model]
    replaced = known.with_priors({name: parse_prior(text) for name, text in priors.items()})
    return solve(density_of(known, studies, replaced))


def assert_same(grid: Grid, expected: Mapping[str, Reference], *, horizon: float = 12.0,
                without: Sequence[str] = ()) -> None:
    """Means within 5e-4 of a posterior SD, quantiles within 0.012: what the other quadrature is right to.

    Its quantiles need an estimand that is monotone in the location, which `without` names the exceptions of.
    """
    found = {exact.name: exact.distribution for exact in pooled(grid, horizon=horizon)} | hyperparameters(grid)
    compared = 0
    for name, reference in expected.items():
        if name not in found or name in without:
            continue
        ours, unit = found[name], reference.sd
        if np.isfinite(unit):
            assert ours.mean == pytest.approx(reference.mean, abs=5e-4 * unit), name
            assert ours.sd == pytest.approx(reference.sd, rel=2e-3), name
        else:
            unit = (reference.upper - reference.lower) / 3.92
        for p, wanted in ((0.025, reference.lower), (0.5, reference.median), (0.975, reference.upper)):
            assert float(ours.quantile(p)) == pytest.approx(wanted, abs=0.012 * unit), (name, p)
        compared += 1
    assert compared >= 3
