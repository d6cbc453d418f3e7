"""The command line as data: the options of each command, and the types of their values."""

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from analysis.cases.selection import SETS
from analysis.cases.settings import ALL, EXACT, IMPORTANCE, NUTS, Job, Question
from analysis.evidence.loading import DEFAULT_DATA
from analysis.evidence.types import LEVELS
from analysis.planning.settings import ANALYSES, MOST_PATIENTS, Plan
from analysis.simulation.settings import COVERAGE_REPLICATES, DEFAULT_REPLICATES, FAULTS
from analysis.system.errors import UsageError

Option = tuple[str, dict[str, Any]]
_PRIOR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.+)")


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("names no folder")
    return Path(text)


def _new_folder(text: str) -> Path:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not UTF-8, as netCDF files need; name another folder") from None
    return _folder(text)


def _tiers(text: str) -> str:
    letters = "".join(sorted(set(text.upper())))
    if not letters or set(letters) - set("ABC"):
        raise argparse.ArgumentTypeError(f"{text!r} is not made of the tiers A, B and C")
    return letters


def _pair(text: str) -> tuple[str, str]:
    new, _, old = text.partition("=")
    if not new or not old:
        raise argparse.ArgumentTypeError(f"{text!r} is not NEW=OLD")
    return new, old


def _prior(text: str) -> tuple[str, str]:
    match = _PRIOR.fullmatch(text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=EXPR, such as rho=Beta(1,4)")
    return match[1], match[2]


def _number(low: float, high: float, what: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what} between {low:g} and {high:g}")
        return value

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number between {low} and {high}")
        return int(text)

    return read


def _output(text: str, default: Path | None = None) -> Option:
    return "--output", {"type": _new_folder, "metavar": "DIR", "default": default, "help": text}


def _engine(*choices: str, text: str) -> Option:
    return "--engine", {"choices": choices, "default": choices[0], "help": f"{text}; default: {choices[0]}"}


_EVERYWHERE: tuple[Option, ...] = (
    ("--data", {"type": _folder, "default": DEFAULT_DATA, "metavar": "DIR",
                "help": "evidence directory, or one spreadsheet (.xlsx or CSV)"}),
    ("--json", {"action": "store_true", "help": "one JSON object on standard output, nothing else there"}))
_ENDPOINT: Option = ("endpoint", {"metavar": "ENDPOINT", "help": "as `list` names it, such as cr or os"})
_MODEL: Option = ("--model", {"metavar": "M", "help": "default: the headline model of the endpoint's kind"})
_MODEL_OF_PLAN: Option = ("--model", {"metavar": "M", "help": "default: the headline model of a rate; weibull for "
                                                              "survival, which no model of a constant hazard plans"})
_SUBSET: Option = ("--subset", {"default": ALL, "metavar": "S", "help": f"default: {ALL}"})
_SAMPLED_OR_EXACT = _engine(NUTS, EXACT, text="sampling, or quadrature over the hyperparameters")
_ROWS: tuple[Option, ...] = (
    ("--tiers", {"type": _tiers, "default": "AB", "metavar": "LETTERS",
                 "help": "evidence tiers that count; default: AB"}),
    ("--set", {"choices": SETS, "default": "review", "dest": "study_set",
               "help": "the review's studies, later ones, or both; default: review"}),
    ("--without", {"action": "append", "default": [], "metavar": "STUDY",
                   "help": "leave a study out, such as one that shares patients with another; may be repeated"}),
    ("--retrospective", {"action": "store_true", "help": "count retrospective studies as well"}),
    ("--horizon", {"type": _number(0.1, 1200.0, "a number of months"), "metavar": "MONTHS",
                   "help": "months at which survival is read, and by which a study's row is chosen where it prints "
                           "several; default: the endpoint's own, else 12"}))
_PRIORS: Option = ("--prior", {"type": _prior, "action": "append", "default": [], "metavar": "NAME=EXPR",
                               "help": 'replaces a prior, such as rho="Beta(1, 10)"; may be repeated'})
_SEED: Option = ("--seed", {"type": _whole(0, 10**18 - 1), "default": 1, "metavar": "N", "help": "default: 1"})
_LEVEL: Option = ("--level", {"type": _number(*LEVELS, "a level"), "default": 0.95,
                              "help": "level of all intervals; default: 0.95"})
_SETTINGS: tuple[Option, ...] = (
    *_ROWS, _PRIORS, _LEVEL, _SEED,
    ("--quick", {"action": "store_true", "help": "short chains, no figures; everything is stamped QUICK"}))
COMMANDS: dict[str, tuple[str, tuple[Option, ...]]] = {
    "report": ("the main job: every fit, table, figure and the report",
               (_output("default: results", Path("results")), *_SETTINGS,
                ("--png", {"action": "store_true", "help": "write each figure as PNG as well, for slides"}))),
    "init": ("start an evidence directory of your own", (
        ("directory", {"type": _new_folder, "metavar": "DIR", "help": "a new or empty directory"}),
        ("--from", {"type": Path, "dest": "source", "metavar": "FILE",
                    "help": "a spreadsheet (.xlsx or CSV) with a row for each study and endpoint"}),
        ("--rates", {"action": "store_true", "help": "an example with a rate (the default)"}),
        ("--survival", {"action": "store_true", "help": "an example with a survival endpoint"}),
        ("--both", {"action": "store_true", "help": "an example with both"}))),
    "worksheet": ("write a spreadsheet of every number that is missing or in doubt, to be filled", (
        ("file", {"type": Path, "metavar": "FILE", "help": "such as gaps.xlsx"}),)),
    "update": ("put newer studies, or newer reports of known ones, into an evidence directory", (
        ("source", {"type": Path, "metavar": "SOURCE", "help": "a directory, or a spreadsheet (.xlsx or CSV)"}),
        ("--dry-run", {"action": "store_true", "help": "say what would change, and write nothing"}),
        ("--same", {"type": _pair, "action": "append", "default": [], "metavar": "NEW=OLD",
                    "help": "NEW reports on the known study OLD; may be repeated"}),
        ("--distinct", {"action": "append", "default": [], "metavar": "NEW",
                        "help": "NEW has other patients than any known study, whatever its registration"}),
        ("--skip", {"action": "append", "default": [], "metavar": "NEW", "help": "leave NEW out"}),
        *((flag, {**how, "default": "all"} if flag == "--set" else how) for flag, how in _ROWS))),
    "check": ("validate the evidence and list every problem", ()),
    "list": ("endpoints, models and subsets, with studies and patients", _ROWS),
    "fit": ("fit one endpoint", (
        _ENDPOINT, _MODEL, _SUBSET,
        _SAMPLED_OR_EXACT, _output("save the posterior as netCDF under DIR/posteriors"), *_SETTINGS)),
    "regress": ("regress one endpoint on covariates of the studies", (
        _ENDPOINT, ("--covariate", {"action": "append", "default": [], "metavar": "C",
                                    "help": "as covariates.csv names it; may be repeated; default: all"}), _SUBSET,
        _engine(IMPORTANCE, NUTS, text="independent weighted draws, with chains where the weights cannot be trusted, "
                                       "or chains"),
        _output("write tables and a figure into DIR"), *_SETTINGS)),
    "predict": ("whether a further study's number is expected, and what it would move", (
        _ENDPOINT, ("--events", {"type": _whole(0, 10_000_000), "metavar": "Y", "help": "patients with the event"}),
        ("--landmark", {"type": _number(0.016, 1200.0, "a number of months"), "metavar": "MONTHS",
                        "help": "of survival: the time at which it is reported"}),
        ("--survival", {"type": _number(0.0, 1.0, "a probability"), "metavar": "S", "help": "survival then"}),
        ("--median", {"type": _number(0.016, 1200.0, "a number of months"), "metavar": "MONTHS",
                      "help": "of survival: the median time"}),
        ("--n", {"type": _whole(1, 5_000), "metavar": "N", "required": True, "help": "patients of the study"}),
        _MODEL, _SUBSET, *_ROWS, _PRIORS, _LEVEL,
        _output("write the predictive distribution and a figure of it into DIR"))),
    "design": ("plan the next single-arm trial from these studies", (
        _ENDPOINT,
        ("--n", {"type": _whole(2, MOST_PATIENTS), "metavar": "N", "required": True, "help": "patients of the trial"}),
        ("--threshold", {"type": _number(0.001, 0.999, "a probability"), "metavar": "T", "required": True,
                         "help": "rate, or survival at the horizon, beyond which the trial should show it to be"}),
        ("--confidence", {"type": _number(0.5, 0.9999, "a probability"), "default": Plan.confidence, "metavar": "C",
                          "help": "posterior probability that is a success; default: 0.95"}),
        ("--analysis", {"choices": ANALYSES, "default": Plan.analysis,
                        "help": "prior of the analysis; default: robust"}),
        ("--robust", {"type": _number(0.0, 0.99, "a weight"), "metavar": "W",
                      "help": f"weight of the vague component of the robust prior; default: {Plan.robust:g}"}),
        ("--assurance", {"type": _number(0.05, 0.99, "a probability"), "default": Plan.target, "metavar": "A",
                         "help": "probability of success for which a size is looked for; default: 0.8"}),
        ("--look", {"type": _whole(1, MOST_PATIENTS - 1), "metavar": "M", "help": "patients of an interim look"}),
        ("--futility", {"type": _number(0.0, 0.5, "a probability"), "metavar": "P",
                        "help": "predictive probability of success below which the look of --look stops; default: "
                                f"{Plan.futility:g}"}),
        _MODEL_OF_PLAN, _SUBSET, *_ROWS, _PRIORS, _LEVEL,
        _output("write the operating characteristics and a figure of them into DIR"))),
    "explore": ("open a page on this computer that answers back: studies, models and priors against the result", (
        ("--port", {"type": _whole(0, 65535), "default": 0, "metavar": "P", "help": "default: one that is free"}),
        ("--no-browser", {"action": "store_true", "help": "print the address, and open no browser"}))),
    "compare": ("published numbers against recomputed ones", (_SAMPLED_OR_EXACT, *_SETTINGS)),
    "export": ("write the analysed data as metafor and RBesT read them", (
        _output("default: export", Path("export")), *_ROWS)),
    "calibrate": ("simulation-based calibration of a model at the studies' real sizes", (
        ("model", {"metavar": "MODEL", "nargs": "?", "help": "as `list` names it, such as beta_binomial"}),
        ("--coverage", {"action": "store_true", "help": "instead of a model: how often every interval for a pooled "
                                                        "rate holds fixed truths"}),
        ("--endpoint", {"metavar": "E", "help": "default: the one of the model's kind with most studies"}), _SUBSET,
        *_ROWS, _PRIORS,
        ("--replicates", {"type": _whole(20, 100_000), "metavar": "N",
                          "help": f"simulated data sets, at least 20; default: {DEFAULT_REPLICATES}, or "
                                  f"{COVERAGE_REPLICATES} for each truth of --coverage"}), _SEED,
        ("--fault", {"choices": tuple(FAULTS), "help": "plant an error, which has to be found (exit code 3)"}),
        ("--processes", {"type": _whole(1, 64), "default": 2, "metavar": "P",
                         "help": "the result does not depend on it; default: 2"}),
        ("--scheduler", {"metavar": "ADDRESS", "help": "of a Dask cluster that works instead of processes here"}),
        _output("write the PITs, or the coverage, and a figure there"))),
}


class OptionError(UsageError):
    """Options that the command line does not understand; `usage` is what it prints before the message."""

    def __init__(self, message: str, usage: str = "") -> None:
        super().__init__(message)
        self.usage = usage


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise OptionError, for who called to print it or to show it in a notebook."""
        raise OptionError(message, f"{self.format_usage()}{self.prog}: error: ")


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m analysis`."""
    top = _Parser(
        prog="python -m analysis",
        description="Bayesian reanalysis of a published meta-analysis of single-arm studies.",
        epilog="Exit codes: 0 done; 1 unexpected; 2 bad usage, bad evidence or an output that cannot be written; 3 a "
               "fit failed its diagnostics, or a model its calibration; 128 and its number after a signal.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, options) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        for flag, settings in (*_EVERYWHERE, *options):
            command.add_argument(flag, **settings)
    return top


def question_of(options: argparse.Namespace, endpoint: str = "") -> Question:
    """The rows that a command asks for."""
    return Question(endpoint, getattr(options, "subset", ALL), options.tiers, options.study_set,
                    horizon=options.horizon, without=tuple(sorted(set(options.without))),
                    retrospective=options.retrospective)


def priors_asked(options: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """The priors that a command replaces, each by its parameter.

    Raises
    ------
    UsageError
        When a parameter is given two.
    """
    given: dict[str, str] = {}
    for name, expression in options.prior:
        if name in given:
            raise UsageError(f"--prior {name}= is given twice, as {given[name]} and as {expression}; leave one out")
        given[name] = expression
    return tuple(given.items())


def base_job(options: argparse.Namespace, endpoint: str = "") -> Job:
    """The settings of a command as a job."""
    return Job(question_of(options, endpoint), model=getattr(options, "model", None), priors=priors_asked(options),
               seed=getattr(options, "seed", Job.seed), level=options.level, engine=getattr(options, "engine", NUTS))
