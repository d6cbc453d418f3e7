"""Covariates of the studies: observed cells as they are, missing cells as unknowns that the outcome also informs.

Covariate j of study i, standardised by centre and standard deviation of the cells that are known, is

    x_ij ~ Normal(m_j, s_j)        m_j ~ Normal(0, 1)        s_j ~ HalfNormal(1)

so that these priors, which cover what a few cells leave open, mean the same in whatever unit a column is written. A
slope b_j belongs to one step, which is `steps` of these standard deviations long: x_ij / step_j of them.

A printed covariate describes the treated patients exactly and gets no measurement error. The cells that are missing
are never dropped: given the slopes the linear predictor of a study,

    a + sum_j b_j x_ij  ~  Normal(a + sum_known b_j x_ij + sum_missing b_j m_j, sqrt(sum_missing b_j^2 s_j^2)),

with x, m and s in steps, needs one integral however many of its cells are missing, so that no missing cell is ever
sampled.

Why a normal distribution, and no logit of percentages. Percentages of 0 and 100 occur (nobody, or everybody, was
transplanted before), where the logit is infinite. The price is that a missing percentage may be imputed below 0 or
above 100; each imputed cell is reported with the probability of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.backend import Array, Backend
from models.model import Draws
from models.priors import Prior

PRIORS = {"covariate_mean": Prior("Normal", (0.0, 1.0)), "covariate_sd": Prior("HalfNormal", (1.0,))}
SUPPORTS = {"covariate_mean": "real", "covariate_sd": "positive"}
_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_TINY = 1e-18  # a variance that moves no digit, but keeps the slope of the root finite where every slope is zero


@dataclass(frozen=True)
class Covariates:
    """Cells of p covariates of k studies.

    Parameters
    ----------
    names : tuple of str, length p
    values : float array, shape (k, p)
        In standard deviations of each covariate from its centre; NaN marks a missing cell.
    steps : float array, shape (p,)
        Size of the step that the prior of each slope is about, in standard deviations; by default 1.

    Raises
    ------
    ValueError
        When the shapes do not fit, a value is infinite, or a step is not positive and finite.
    """

    names: tuple[str, ...]
    values: np.ndarray
    steps: np.ndarray | None = None

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float)
        if values.ndim != 2 or values.shape[1] != len(self.names) or not self.names:
            raise ValueError(f"covariates of shape {values.shape} do not fit {len(self.names)} names")
        if np.isinf(values).any():
            raise ValueError("a covariate must be finite, or NaN where it is missing")
        steps = np.ones(len(self.names)) if self.steps is None else np.array(self.steps, dtype=float)
        if steps.shape != (len(self.names),) or not np.all((steps > 0.0) & np.isfinite(steps)):
            raise ValueError(f"steps {steps} must be {len(self.names)} positive numbers")
        for name, cells in (("values", values), ("steps", steps)):
            cells.setflags(write=False)
            object.__setattr__(self, name, cells)
        object.__setattr__(self, "names", tuple(self.names))

    @property
    def missing(self) -> np.ndarray:
        """Which cells are missing; bool array, shape (k, p)."""
        return np.isnan(self.values)

    def taken(self, rows: np.ndarray) -> "Covariates":
        """The covariates of some studies, by index or mask."""
        return Covariates(self.names, self.values[rows], self.steps)


def cell_table(covariates: Covariates) -> np.ndarray:
    """Number, mean and sum of squares about the mean of the observed cells of each covariate; shape (3, p).

    All are zero for a covariate without a missing cell: nothing depends on its distribution then, and a constant one
    would have a density without bound.
    """
    seen = ~covariates.missing & covariates.missing.any(axis=0)
    count = seen.sum(axis=0)
    mean = np.where(seen, covariates.values, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(seen, covariates.values - mean, 0.0) ** 2
    return np.stack([count, mean, squares.sum(axis=0)]).astype(float)


def log_density_cells(draws: Draws, cells: Array, *, on: Backend) -> Array:
    """Log density of the observed cells; shape (...).

    Parameters
    ----------
    draws : mapping of str to array, shape (..., p)
        covariate_mean and covariate_sd.
    cells : array, shape (3, p)
        As `cell_table` returns them.
    """
    mean, sd = draws["covariate_mean"], draws["covariate_sd"]
    distance = cells[2] + cells[0] * (cells[1] - mean) ** 2
    return on.sum(-cells[0] * (on.log(sd) + _HALF_LOG_2PI) - 0.5 * distance / sd**2, axis=-1)


def known_cells(covariates: Covariates) -> np.ndarray:
    """The cells in steps, with zero for the missing ones; shape (k, p)."""
    return np.where(covariates.missing, 0.0, covariates.values) / covariates.steps


def absent_cells(covariates: Covariates) -> np.ndarray:
    """Standard deviation of the covariate in steps for each missing cell, else zero; shape (k, p)."""
    return covariates.missing / covariates.steps


def known_shift(draws: Draws, known: Array) -> Array:
    """What the observed cells add to the linear predictor; shape (..., k).

    Parameters
    ----------
    draws : mapping of str to array, shape (..., p)
        beta.
    known : array, shape (k, p)
    """
    return draws["beta"] @ known.T


def missing_shift(draws: Draws, absent: Array, *, on: Backend) -> tuple[Array, Array]:
    """Mean and standard deviation of what the missing cells add to the linear predictor; shape (..., k) each.

    Parameters
    ----------
    draws : mapping of str to array, shape (..., p)
        beta, covariate_mean and covariate_sd.
    absent : array, shape (k, p)
        As `absent_cells` returns them.
    """
    beta = draws["beta"]
    variance = (beta * draws["covariate_sd"]) ** 2 @ absent.T**2
    return (beta * draws["covariate_mean"]) @ absent.T, on.sqrt(variance + _TINY)


def with_beta(draws: Mapping[str, np.ndarray], at: int) -> dict[str, np.ndarray]:
    """Draws of one covariate of several: the hyperparameters as they are, its slope, mean and SD of shape (s,)."""
    own = ("beta", "covariate_mean", "covariate_sd")
    return {name: values[:, at] if name in own else values for name, values in draws.items()}
