"""The posterior of a case by quadrature, solved once however many analyses ask for it."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.cases.case import Case
from analysis.inference.density import density_of
from analysis.inference.distribution import Distribution, distribution, mixture_points
from analysis.inference.estimands import MAIN, NEW, Estimate, Quantity, heterogeneity_of
from analysis.inference.grid import Grid, QuadratureFailed, Slices, draw, solve
from analysis.inference.pooled import ExactQuantity, pooled
from analysis.inference.prediction import CountLaw, counts_of, survivors_of
from analysis.inference.weighted import equal_tails
from models.model import Draws, NeedsDensity
from models.studies import RateStudies, Studies

MOST_STUDIES = 200
"""Studies beyond which nothing is left out in turn: one in two hundred moves nothing."""

MOST_PATIENTS = 2000
"""Patients of one study beyond which its counts are not predicted one by one."""

NO_POSTERIOR = (QuadratureFailed, NeedsDensity)
"""Why a case has no posterior by quadrature: the sums do not settle, or its model has no density."""

MEDIAN = "median_months"
TOLERANCE = 1e-7  # of a standard deviation, far below the digits that any table prints
_KEPT = 400
_solved: OrderedDict[tuple[object, ...], Grid | str] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior of a case: weighted points of the hyperparameters, and the estimands that follow from them.

    Parameters
    ----------
    case : Case
    grid : Grid or Slices
        What the quadrature left behind; other rooms ask the posterior.
    """

    case: Case
    grid: Grid | Slices

    @property
    def points(self) -> tuple[Draws, np.ndarray]:
        """Natural values of the hyperparameters by name, and the weights of these points; shape (g,) each."""
        return self.grid.sparse()

    @property
    def dense_points(self) -> tuple[Draws, np.ndarray]:
        """As `points`, but so close together that the law of a further study is smooth; shape (g,) each.

        Studies may differ by less than the points of the quadrature do, whose laws then would stand side by side.
        """
        # Without tau every location is interpolated.
        none = np.zeros(self.grid.weights.size)
        spread = self.case.model.density.summaries(self.grid.values, ("tau",)).get("tau", none)
        return mixture_points(self.grid, spread, every=2, finer=16 if len(self.grid.grids) == 1 else 8)

    def draw(self, size: int, rng: np.random.Generator) -> Draws:
        """Independent draws of the hyperparameters on their natural scale by name, shape (size,) each."""
        return draw(self.grid, size, rng)

    def predict(self, n: int, months: float | None = None) -> CountLaw:
        """The law of a further study of n patients: of its events, or of its patients without the event at `months`."""
        return counts_of(self.grid, n) if months is None else survivors_of(self.grid, months, n)

    @property
    def log_evidence(self) -> float:
        """Log of the marginal likelihood of the data."""
        return self.grid.log_evidence

    @cached_property
    def pooled(self) -> tuple[ExactQuantity, ...]:
        """Every pooled estimand with its exact distribution."""
        return pooled(self.grid, horizon=self.case.selection.horizon)

    def at(self, months: float, names: Sequence[str]) -> tuple[ExactQuantity, ...]:
        """Pooled estimands by their names with survival read at these months."""
        return pooled(self.grid, horizon=months, only=names)

    def distribution(self, name: str) -> Distribution:
        """The distribution of a hyperparameter, or of an estimand that is a function of them."""
        # Fewer functions of the grid than `pooled` computes: these are needed once per study.
        values = self.grid.values
        marginal = self.case.model.density
        if name == "survival":
            return distribution(self.grid, marginal.curve.survival(values, marginal.population["eta"](values),
                                                                   self.case.horizon))
        return distribution(self.grid, (values | marginal.summaries(values, (name,)))[name])

    def estimates(self, names: Sequence[str]) -> tuple[Estimate, ...]:
        """Summaries of pooled estimands, each by its name; a hyperparameter that is no estimand goes by its own."""
        by_name = {item.quantity.estimand: item for item in
                  pooled(self.grid, horizon=self.case.selection.horizon, only=names)}
        for name in names:
            if name not in by_name:
                quantity = Quantity(name, np.empty(0), "hyperparameter", "")
                by_name[name] = ExactQuantity(quantity, distribution(self.grid, self.grid.values[name]))
        return tuple(by_name[name].estimate(self.case.level) for name in names)

    def summary(self, name: str) -> "Summary":
        """The numbers of a distribution that tables hold, limits at the case's level."""
        return summary(self.distribution(name), level=self.case.level)


@dataclass(frozen=True)
class Summary:
    """Posterior median and equal-tailed limits, mean and standard deviation."""

    median: float
    lower: float
    upper: float
    mean: float
    sd: float


def summary(values: Distribution, *, level: float) -> Summary:
    """Median, equal-tailed limits at `level`, mean and standard deviation of a distribution."""
    lower, median, upper = values.quantile(equal_tails(level)).tolist()
    return Summary(median, lower, upper, values.mean, values.sd)


def posterior_of(case: Case) -> Posterior:
    """The posterior of a case; of cases with the same key it is computed once in a process.

    Raises
    ------
    QuadratureFailed
        When the sums do not settle.
    NeedsDensity
        When the model has no density.
    """
    solved = _solved.get(case.key)
    if solved is None:
        try:
            solved = solve(density_of(case.model, case.studies, case.priors), tolerance=TOLERANCE)
        except QuadratureFailed as error:
            solved = str(error)
        _solved[case.key] = solved
        if len(_solved) > _KEPT:
            _solved.popitem(last=False)
    if isinstance(solved, str):
        raise QuadratureFailed(solved)
    return Posterior(case, solved)


def posterior_with(case: Case, extra: Callable[[Draws], np.ndarray]) -> Posterior:
    """The posterior of a case with a further factor of its likelihood; it is not kept.

    Parameters
    ----------
    extra : callable
        Log of the factor at hyperparameters by name, shape (s,) each.

    Raises
    ------
    QuadratureFailed
        When the sums do not settle.
    """
    return Posterior(case, solve(density_of(case.model, case.studies, case.priors, extra=extra)))


def forget() -> None:
    """Let go of every posterior that was solved, and of the studies in them."""
    _solved.clear()


def main_estimand(case: Case) -> str:
    """The pooled estimand that stands for the endpoint."""
    return MAIN[case.model.kind]


def new_estimand(case: Case) -> str:
    """The prediction for a new study."""
    return NEW[case.model.kind]


def spread_estimand(case: Case) -> str:
    """The estimand that tells how much studies differ."""
    return heterogeneity_of(case.model)


def distributions(case: Case, estimand: str, months: float | None = None) -> tuple[Distribution, Distribution | None]:
    """Of the pooled value of a case and of that of a new study; a median time has none of the latter.

    Parameters
    ----------
    estimand : {"rate", "survival", "median_months"}
    months : float or None
        At which survival is read; None takes the case's horizon.

    Raises
    ------
    QuadratureFailed, NeedsDensity
        When there is no posterior.
    """
    names = (MEDIAN,) if estimand == MEDIAN else (MAIN[case.model.kind], NEW[case.model.kind])
    exact = posterior_of(case).at(case.selection.horizon if months is None else months, names)
    by_name = {item.quantity.estimand: item.distribution for item in exact}
    return by_name[names[0]], by_name.get(NEW[case.model.kind])


def exceeding(pooled: Distribution, new: Distribution | None, value: float) -> dict[str, float | None]:
    """The probabilities of a larger value."""
    return {"pooled": 1.0 - float(pooled.cdf(value)), "new_study": 1.0 - float(new.cdf(value)) if new else None}


def too_large(studies: Studies) -> str:
    """Why these studies are not left out one by one; empty where they are."""
    if len(studies) > MOST_STUDIES:
        return f"more than {MOST_STUDIES} studies"
    if isinstance(studies, RateStudies) and len(studies) and int(studies.evaluable.max()) > MOST_PATIENTS:
        return f"a study of more than {MOST_PATIENTS:,} patients"
    return ""
