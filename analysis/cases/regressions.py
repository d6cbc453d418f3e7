"""One regression, ready to be fitted: studies, columns of their covariates, model and priors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cases.covariates import Column
from analysis.cases.settings import Job, derive_seed
from analysis.system.errors import UsageError
from models import beta_binomial_regression, log_hazard_regression
from models.priors import Prior, parse_prior
from models.regression import Covariates, Regression
from models.studies import Studies

ONE, TOGETHER, COMPLETE = "one_at_a_time", "together", "complete_case"
_REGRESSIONS = {module.REGRESSION.base.kind: module.REGRESSION
                for module in (beta_binomial_regression, log_hazard_regression)}


@dataclass(frozen=True)
class RegressionCase:
    """One regression to be made.

    Parameters
    ----------
    analysis : {"one_at_a_time", "together", "complete_case"}
    priors : mapping of str to Prior
        Of every hyperparameter of the regression.
    columns : tuple of Column
        One, or all that share a scale.
    used : tuple of bool
        Which columns enter; the others are there so that the compiled model keeps its shape.
    """

    analysis: str
    regression: Regression
    priors: Mapping[str, Prior]
    studies: Studies
    columns: tuple[Column, ...]
    used: tuple[bool, ...] = (True,)

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

    def refusal(self, endpoint: str, at: int) -> str:
        """Why there are too few studies for the slope of a column; empty for enough."""
        if self.together and sum(self.used) < 2:
            return (f"{endpoint} on all covariates: {sum(self.used)} covariates with enough studies, at least 2 are "
                    "needed")
        return self.columns[at].refusal(endpoint, complete=self.analysis == COMPLETE)

    def seed(self, job: Job) -> int:
        """Of the draws: the same numbers have the same one, whatever question they answer."""
        studies = [np.asarray(getattr(self.studies, name)).tolist() for name in self.studies.__dataclass_fields__]
        # Rounded, so that the same column in another unit has the same draws.
        columns = [(column.name, [f"{value:.6g}" for value in (column.prior_step, *column.values)])
                   for column in self.columns]
        return derive_seed(job.seed, job.question.endpoint, self.regression.base.name, self.analysis,
                           repr([studies, columns, self.used]))


def _covariates(columns: Sequence[Column], used: np.ndarray | bool = True) -> Covariates:
    values = np.where(used, np.stack([column.values for column in columns], axis=1), 0.0)
    return Covariates(tuple(column.name for column in columns), values,
                      np.array([column.prior_step for column in columns]))


def regression_of(kind: str) -> Regression:
    """The regression model of a kind of endpoint."""
    return _REGRESSIONS[kind]


def regression_priors(regression: Regression, job: Job) -> dict[str, Prior]:
    """The model's priors with the job's replacements.

    Raises
    ------
    UsageError
        When an expression is no prior, or the parameter does not exist or has another support.
    """
    try:
        return regression.with_priors({name: parse_prior(text) for name, text in job.priors})
    except ValueError as error:
        raise UsageError(str(error)) from None
