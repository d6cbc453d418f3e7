"""The analysis in Python, for notebooks: `from analysis import load, fit, regress, compare, predict, design, update`.

Options have the names and values of the command line, which also says what is wrong with one. Nothing is written;
every result shows itself briefly, has its numbers as a data frame and, where it is a posterior, its draws for ArviZ.
"""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from analysis.cases.nesting import Nesting, nest
from analysis.cases.settings import NUTS
from analysis.commands.arguments import base_job
from analysis.commands.compare import comparison_table, results_asked
from analysis.commands.fit import case_asked, estimates_table
from analysis.commands.keywords import (
    DesignOptions,
    FitOptions,
    Options,
    PredictOptions,
    RegressionOptions,
    asked,
    parsed,
)
from analysis.commands.printing import heading
from analysis.evidence import loading
from analysis.evidence.directory import Evidence
from analysis.inference.fitting import Fit, run
from analysis.inference.nested import NestedPosterior, nested_posterior
from analysis.results import tables
from analysis.results.comparison import COMPARISON
from analysis.results.results import Results
from analysis.runs.fits import Posteriors
from analysis.runs.workers import Nobody
from analysis.system.surroundings import keep_compiled_code
from models.nested_beta_binomial import NAME

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from analysis.chapters.regression.running import Regressed
    from analysis.commands.update import Change
    from analysis.evidence.merging import Merged
    from analysis.inference.further import Further
    from analysis.inference.regression import RegressionFit
    from analysis.planning.plans import Design


def load(directory: str | Path = loading.DEFAULT_DATA) -> Evidence:
    """The evidence of a directory, by default the one that comes with the program.

    Raises
    ------
    EvidenceError
        With every problem of the tables.
    """
    return loading.load(Path(directory))


def fit(evidence: Evidence, endpoint: str, **options: Unpack[FitOptions]) -> "Fitted | Nested":
    """One endpoint, one model, one subset: what `recart fit` prints.

    The model "nested_beta_binomial" fits a rate within its parent, by quadrature.

    Raises
    ------
    UsageError
        When an option, endpoint, subset, model or prior does not exist or they do not go together, or no study answers.
    SamplingFailed, QuadratureFailed
        When there is no posterior.
    """
    given = asked("fit", FitOptions, evidence, options, endpoint)
    if given.model == NAME:
        nesting = nest(evidence, base_job(given), endpoint, shared_priors=False)
        return Nested(evidence, nesting, nested_posterior(nesting))
    case = case_asked(evidence, given)
    if case.job.engine == NUTS:
        keep_compiled_code()
    return Fitted(evidence, run(case))


def regress(evidence: Evidence, endpoint: str, **options: Unpack[RegressionOptions]) -> "Regression":
    """One endpoint on covariates of the studies, one at a time and together: what `recart regress` prints.

    Raises
    ------
    UsageError
        When an option, endpoint, subset, covariate or prior does not exist, or no slope has studies enough.
    """
    from analysis.commands.regress import regressed_as_asked

    keep_compiled_code()
    given = asked("regress", RegressionOptions, evidence, options, endpoint)
    return Regression(evidence, regressed_as_asked(evidence, given))


def predict(evidence: Evidence, endpoint: str, **options: Unpack[PredictOptions]) -> "Predicted":
    """Whether a further study's number is expected, and what it would move: what `recart predict` prints.

    Raises
    ------
    UsageError
        When an option, endpoint, subset, model or prior does not exist or they do not go together, or no study answers.
    """
    from analysis.commands.predict import predicted_as_asked

    given = asked("predict", PredictOptions, evidence, options, endpoint)
    return Predicted(evidence, predicted_as_asked(evidence, given))


def design(evidence: Evidence, endpoint: str, **options: Unpack[DesignOptions]) -> "Designed":
    """The next single-arm trial planned from these studies: what `recart design` prints.

    Raises
    ------
    UsageError
        When an option, endpoint, subset, model or prior does not exist or they do not go together, or no study answers.
    """
    from analysis.commands.design import designed_as_asked

    given = asked("design", DesignOptions, evidence, options, endpoint)
    return Designed(evidence, designed_as_asked(evidence, given))


def update(directory: str | Path, source: str | Path, *, dry_run: bool = False, same: Mapping[str, str] | None = None,
           distinct: Sequence[str] = (), skip: Sequence[str] = ()) -> "Updated":
    """Newer evidence put into a directory, whole or not at all: what `recart update` does and prints.

    Parameters
    ----------
    same : mapping of str to str
        From a newer study to the known one that it reports on.

    Raises
    ------
    EvidenceError
        With every problem of the tables.
    UsageError
        When a study may be a known one and nobody says which, or patients would be counted twice.
    """
    from analysis.commands.update import updated_as_asked

    pairs = [f"{new}={old}" for new, old in (same or {}).items()]
    options = {"data": str(directory), "dry-run": dry_run, "same": pairs, "distinct": distinct, "skip": skip}
    return Updated(*updated_as_asked(parsed("update", options, str(source))))


def compare(evidence: Evidence, **options: Unpack[Options]) -> "Compared":
    """Every published number beside the reanalysis: what `recart compare` prints.

    Raises
    ------
    UsageError
        When an option or prior does not exist, or the evidence has no published numbers.
    """
    keep_compiled_code()
    return Compared(results_asked(evidence, asked("compare", Options, evidence, options), start=Nobody))


@dataclass(frozen=True, repr=False)
class Fitted:
    """The posterior of one endpoint; `fit` has all that is known of it."""

    evidence: Evidence
    fit: Fit

    def __repr__(self) -> str:
        case, diagnostics = self.fit.case, self.fit.diagnostics
        shown = [heading(self.evidence, case.question, case.model.name, case.priors, case.studies)]
        pooled = tables.told(self.evidence, (row for row in self._rows() if row["study_id"] is None))
        shown += [estimates_table(pooled)] if diagnostics.converged \
            else [f"NOT CONVERGED: {'; '.join(diagnostics.failures)}"]
        return "\n".join([*shown, *(f"warning: {text}" for text in self.fit.warnings)])

    def frame(self) -> "pd.DataFrame":
        """The estimates, pooled and of each study, as in estimates.csv; none where the fit did not converge."""
        return tables.ESTIMATES.table(self._rows()).frame

    @cached_property
    def idata(self) -> "xr.DataTree":
        """Draws, predictions and data as ArviZ groups, as `recart fit --output` saves them."""
        from analysis.results.netcdf import tree

        return tree(self.fit, self.evidence)

    def _rows(self) -> list[dict[str, Any]]:
        return tables.estimate_rows(self.fit.case, self.fit.printed)


@dataclass(frozen=True, repr=False)
class Nested:
    """A rate within its parent, fitted together; `posterior` is the joint one, `nesting` has what each study says."""

    evidence: Evidence
    nesting: Nesting
    posterior: NestedPosterior

    def __repr__(self) -> str:
        shown = heading(self.evidence, self.nesting.inner.question, NAME, self.nesting.priors, self.nesting.counted)
        names = ["quantity", "mean", "median", "lower", "upper", "new_median", "new_lower", "new_upper"]
        return f"{shown}\n\n{self.frame()[names].round(3).to_string(index=False)}"

    def frame(self) -> "pd.DataFrame":
        """The estimates of the outer rate, the inner one given the outer, and the inner one, as in nested.csv."""
        from analysis.chapters.nested.rows import NESTED, joint_rows

        return NESTED.table(joint_rows(self.nesting, self.posterior)).frame.dropna(axis=1, how="all")


@dataclass(frozen=True, repr=False)
class Regression:
    """The slopes of one endpoint; `regressed.fits` has the draws of each regression."""

    evidence: Evidence
    regressed: "Regressed"

    def __repr__(self) -> str:
        from analysis.commands.regress import slopes_table

        regressed, case = self.regressed, self.regressed.case
        return "\n".join([heading(self.evidence, case.question, f"{case.model.name} regression", regressed.priors,
                                  case.studies), slopes_table(regressed),
                          *(f"warning: {text}" for text in regressed.warnings)])

    def frame(self) -> "pd.DataFrame":
        """The slopes, as in regression.csv."""
        import pandas as pd

        return pd.DataFrame(self.regressed.slopes)

    @cached_property
    def idata(self) -> "xr.DataTree":
        """Equally likely draws of each regression that converged, in groups such as one_at_a_time/age/posterior."""
        import xarray as xr

        groups = {}
        for fit in (fit for fit in self.regressed.fits if fit.diagnostics.converged):
            names = [column.name for column in fit.case.columns]
            path = fit.case.analysis if fit.case.together else f"{fit.case.analysis}/{names[0]}"
            draws, chains = _equally_likely(fit), fit.sampler.chains if fit.engine == NUTS else 1
            data = {name: (("chain", "draw", "covariate")[:values.ndim + 1],
                           values.reshape(chains, -1, *values.shape[1:])) for name, values in draws.items()}
            size = len(next(iter(draws.values()))) // chains
            groups[f"{path}/posterior"] = xr.Dataset(data, {"chain": np.arange(chains), "draw": np.arange(size),
                                                            "covariate": names})
        return xr.DataTree.from_dict(groups)


def _equally_likely(fit: "RegressionFit") -> dict[str, np.ndarray]:
    """The draws, weighted ones repeated in proportion to their weights."""
    if fit.engine == NUTS:
        return dict(fit.draws)
    size = len(fit.weights)
    kept = np.searchsorted(np.cumsum(fit.weights), (np.arange(size) + 0.5) / size).clip(max=size - 1)
    kept = np.random.default_rng(fit.case.seed).permutation(kept)
    return {name: values[kept] for name, values in fit.draws.items()}


@dataclass(frozen=True, repr=False)
class Predicted:
    """A further study against the others; `answer` has the report, its prediction, and estimates before and after."""

    evidence: Evidence
    answer: "Further"

    def __repr__(self) -> str:
        from analysis.commands.predict import shown

        return shown(self.evidence, self.answer)

    def frame(self) -> "pd.DataFrame":
        """The predictive distribution of the count, as `recart predict --output` writes it."""
        from analysis.results.predicted import PREDICTED, predicted_rows

        return PREDICTED.table(predicted_rows(self.answer)).frame


@dataclass(frozen=True, repr=False)
class Designed:
    """A planned trial; `design` has its prior, its rule and how that fares."""

    evidence: Evidence
    design: "Design"

    def __repr__(self) -> str:
        from analysis.commands.design import shown

        return shown(self.evidence, self.design)

    def frame(self) -> "pd.DataFrame":
        """How often the rule succeeds at each true rate, as `recart design --output` writes it."""
        from analysis.results.design import OPERATING, operating_rows

        return OPERATING.table(operating_rows(self.design)).frame


@dataclass(frozen=True, repr=False)
class Updated:
    """Newer evidence in a directory; `merged` says what it changes, `changes` what that moves."""

    options: Namespace
    merged: "Merged"
    changes: "list[Change]"

    def __repr__(self) -> str:
        from analysis.commands.update import shown

        return shown(self.options, self.merged, self.changes)


@dataclass(frozen=True, repr=False)
class Compared:
    """The published numbers beside the reanalysis; `results` has the fits."""

    results: Results

    def __repr__(self) -> str:
        return comparison_table(self.results.rows(COMPARISON.file))

    def frame(self) -> "pd.DataFrame":
        """One row for each published number, as in comparison.csv."""
        return self.results.tables[COMPARISON.file].frame

    @cached_property
    def idata(self) -> Posteriors:
        """ArviZ groups of each compared question by "endpoint/subset", such as "cr/all"; made when one is asked for."""
        return Posteriors(self.results)
