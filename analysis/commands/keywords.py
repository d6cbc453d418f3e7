"""The command line's options as keyword arguments of the functions for notebooks."""

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from analysis.commands.arguments import parser
from analysis.evidence.directory import Evidence
from analysis.system.errors import UsageError

_FLAGS = {"priors": "prior", "covariates": "covariate"}
_SEVERAL = {"priors", "covariates", "without", "same", "distinct", "skip"}
"""Options that are given once for each value."""


class Rows(TypedDict, total=False):
    """What every function takes, as on the command line."""

    tiers: str
    set: str
    without: Sequence[str]
    retrospective: bool
    horizon: float
    priors: Mapping[str, str]
    level: float


class Options(Rows, total=False):
    """What a function that can sample takes as well."""

    engine: str
    seed: int
    quick: bool


class OneModel(TypedDict, total=False):
    """What a function that looks at one posterior takes as well."""

    model: str
    subset: str


class FitOptions(Options, OneModel, total=False):
    """What `fit` takes."""


class PredictOptions(Rows, OneModel, total=False):
    """What `predict` takes."""

    events: int
    n: int
    landmark: float
    survival: float
    median: float


class DesignOptions(Rows, OneModel, total=False):
    """What `design` takes."""

    n: int
    threshold: float
    confidence: float
    analysis: str
    robust: float
    assurance: float
    look: int
    futility: float


class RegressionOptions(Options, total=False):
    """What `regress` takes as well."""

    covariates: Sequence[str]
    subset: str


def asked(command: str, takes: type, evidence: Evidence, options: Mapping[str, Any], *positional: str) -> Namespace:
    """The options of a function, of which `takes` names those that there are, as the command line reads them.

    Raises
    ------
    UsageError
        When there is no such option, its value is none, or the evidence was not loaded.
    """
    if not isinstance(evidence, Evidence):
        read = f"{command}(load({evidence!r}), ...)"
        raise UsageError(f"{command} takes evidence, not {evidence!r}; read it first: {read}")
    names = sorted(takes.__optional_keys__)
    unknown = [f"--{name}={value}" for name, value in options.items() if name not in names]
    if unknown:
        raise UsageError(f"unrecognized arguments: {' '.join(unknown)}; {command} takes {', '.join(names)}")
    return parsed(command, options, *positional)


def parsed(command: str, options: Mapping[str, Any], *positional: str) -> Namespace:
    """The options as the command line reads them."""
    words = [command]
    for name, value in options.items():
        flag = f"--{_FLAGS.get(name, name)}"
        if isinstance(value, Mapping):
            words += [f"{flag}={key}={item}" for key, item in value.items()]
        elif isinstance(value, bool | np.bool):
            words += [flag] if value else []
        elif value is not None:
            one = name not in _SEVERAL or isinstance(value, str) or not isinstance(value, Iterable)
            words += [f"{flag}={item}" for item in ([value] if one else value)]
    return parser().parse_args([*words, *(["--", *positional] if positional else [])])
