"""Regressions of one endpoint, ready to be fitted: studies, columns of their covariates, model and priors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.cases.case import Case, typed_studies
from analysis.cases.covariates import Column, column_of, covariates_of
from analysis.cases.selection import select
from analysis.cases.settings import Job, derive_seed
from analysis.evidence.directory import Evidence
from analysis.system.errors import UsageError
from models import beta_binomial_regression, log_hazard_regression
from models.priors import Prior, parse_prior
from models.regression import Covariates, Regression
from models.studies import Studies

ONE, TOGETHER, COMPLETE = "one_at_a_time", "together", "complete_case"
_REGRESSIONS = {module.REGRESSION.base.kind: module.REGRESSION
                for module in (beta_binomial_regression, log_hazard_regression)}


@dataclass(frozen=True, eq=False)
class RegressionCase:
    """One regression to be made.

    Parameters
    ----------
    without : Case
        The same studies without covariates, under the priors that both share.
    analysis : {"one_at_a_time", "together", "complete_case"}
    regression : Regression
    priors : mapping of str to Prior
        Of every hyperparameter of the regression.
    columns : tuple of Column
        One, or all that share a scale.
    used : tuple of bool
        Which columns enter; the others are there so that the compiled model keeps its shape.
    """

    without: Case
    analysis: str
    regression: Regression
    priors: Mapping[str, Prior]
    columns: tuple[Column, ...]
    used: tuple[bool, ...] = (True,)

    @property
    def studies(self) -> Studies:
        """What the studies report."""
        return self.without.studies

    @property
    def together(self) -> bool:
        """Whether the slopes share a scale."""
        return self.analysis == TOGETHER

    @property
    def covariates(self) -> Covariates:
        """The columns that enter."""
        return _covariates([column for column, used in zip(self.columns, self.used, strict=True) if used])

    @property
    def padded_covariates(self) -> Covariates:
        """All columns; those that do not enter are zero everywhere, so that nothing depends on them."""
        return _covariates(self.columns, np.array(self.used))

    @property
    def refusals(self) -> tuple[str, ...]:
        """For each column why there are too few studies for its slope; empty for enough."""
        if self.together and sum(self.used) < 2:
            return (f"too few covariates with enough studies: {sum(self.used)}, at least 2 are needed",
                    ) * len(self.columns)
        return tuple(column.refusal(complete=self.analysis == COMPLETE) for column in self.columns)

    @property
    def seed(self) -> int:
        """Of the draws: the same numbers have the same one, whatever question they answer."""
        studies = [np.asarray(getattr(self.studies, name)).tolist() for name in self.studies.__dataclass_fields__]
        # Rounded, so that the same column in another unit has the same draws.
        columns = [(column.name, [f"{value:.6g}" for value in (column.prior_step, *column.values)])
                   for column in self.columns]
        return derive_seed(self.without.job.seed, self.without.question.endpoint, self.regression.base.name,
                           self.analysis, repr([studies, columns, self.used]))


def _covariates(columns: Sequence[Column], used: np.ndarray | bool = True) -> Covariates:
    values = np.where(used, np.stack([column.values for column in columns], axis=1), 0.0)
    return Covariates(tuple(column.name for column in columns), values,
                      np.array([column.prior_step for column in columns]))


def regression_of(kind: str) -> Regression:
    """The regression model of a kind of endpoint."""
    return _REGRESSIONS[kind]


def regression_cases(evidence: Evidence, job: Job, names: Sequence[str] = ()) -> tuple[RegressionCase, ...]:
    """An endpoint on each covariate, on those with missing cells without these studies, and on all together.

    Parameters
    ----------
    names : sequence of str
        Covariates; none takes all.

    Raises
    ------
    UsageError
        When endpoint, subset, covariate or prior do not exist, or a model is asked for that has no regression.
    """
    covariates, selection = covariates_of(evidence, names), select(evidence, job.question)
    regression = regression_of(selection.endpoint.kind)
    base = regression.base
    if job.model not in (None, base.name):
        raise UsageError(f"{job.model} has no regression; for {job.question.endpoint} it is {base.name}")
    try:
        priors = regression.with_priors({name: parse_prior(text) for name, text in job.priors})
    except ValueError as error:
        raise UsageError(str(error)) from None
    without = Case(replace(job, model=base.name), selection, base, {name: priors[name] for name in base.priors},
                   *typed_studies(selection))
    columns = tuple(column_of(evidence, covariate, without.studies.study_ids) for covariate in covariates)
    return tuple(_cases(evidence, without, regression, priors, columns))


def _cases(evidence: Evidence, without: Case, regression: Regression, priors: Mapping[str, Prior],
           columns: tuple[Column, ...]) -> Iterator[RegressionCase]:
    for column in columns:
        yield RegressionCase(without, ONE, regression, priors, (column,))
    for column in (column for column in columns if column.missing.any()):
        rest = without.but(studies=without.studies.take(~column.missing))
        # Centred anew, over the studies that are left.
        complete = column_of(evidence, column.covariate, rest.studies.study_ids)
        yield RegressionCase(rest, COMPLETE, regression, priors, (complete,))
    if len(columns) > 1:
        yield RegressionCase(without, TOGETHER, regression, priors, columns,
                             tuple(not column.refusal() for column in columns))
