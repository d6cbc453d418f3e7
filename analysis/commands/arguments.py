"""The command line as data: one function that builds the parser, and the types of its values."""

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from analysis.cases.selection import ALL, SETS, Question
from analysis.cases.settings import IMPORTANCE, NUTS, Job
from analysis.evidence.loading import DEFAULT_DATA
from analysis.simulation.settings import DEFAULT_REPLICATES, FAULTS
from analysis.system.errors import one_line

DEFAULT_OUTPUT = Path("results")
_PRIOR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.+)")


class _Parser(argparse.ArgumentParser):
    """A parser whose messages steer no terminal."""

    def error(self, message: str) -> NoReturn:
        """End with code 2 and the message as one printable line."""
        super().error(one_line(message))


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m analysis`."""
    top = _Parser(
        prog="python -m analysis",
        description="Bayesian reanalysis of a published meta-analysis of single-arm studies.",
        epilog="Exit codes: 0 done; 1 unexpected; 2 bad usage, bad evidence or an output that cannot be written; 3 a "
               "fit failed its diagnostics, or a model its calibration; 128 and its number after a signal.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    report = _command(commands, "report", "the main job: every fit, table, figure and the report")
    report.add_argument("--output", type=_new_folder, default=DEFAULT_OUTPUT, metavar="DIR", help="default: results")
    _settings(report)
    _command(commands, "check", "validate the evidence and list every problem")
    listing = _command(commands, "list", "endpoints, models and subsets, with studies and patients")
    _rows(listing)
    fit = _command(commands, "fit", "fit one endpoint")
    fit.add_argument("endpoint", metavar="ENDPOINT", help="as `list` names it, such as cr or os")
    fit.add_argument("--model", metavar="M", help="default: the headline model of the endpoint's kind")
    fit.add_argument("--subset", default="all", metavar="S", help="default: all")
    fit.add_argument("--engine", choices=("nuts", "exact"), default="nuts",
                     help="sampling, or quadrature over the hyperparameters; default: nuts")
    fit.add_argument("--output", type=_new_folder, metavar="DIR",
                     help="save the posterior as netCDF under DIR/posteriors")
    _settings(fit)
    regress = _command(commands, "regress", "regress one endpoint on covariates of the studies")
    regress.add_argument("endpoint", metavar="ENDPOINT", help="as `list` names it, such as cr or os")
    regress.add_argument("--covariate", action="append", default=[], metavar="C",
                         help="as covariates.csv names it; may be repeated; default: all")
    regress.add_argument("--subset", default="all", metavar="S", help="default: all")
    regress.add_argument("--engine", choices=(IMPORTANCE, NUTS), default=IMPORTANCE,
                         help="independent weighted draws, with chains where the weights cannot be trusted, or chains; "
                              "default: importance")
    regress.add_argument("--output", type=_new_folder, metavar="DIR", help="write tables and a figure into DIR")
    _settings(regress)
    _settings(_command(commands, "compare", "published numbers against recomputed ones"))
    _calibrate(_command(commands, "calibrate", "simulation-based calibration of a model at the studies' real sizes"))
    return top


def _calibrate(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="as `list` names it, such as beta_binomial")
    command.add_argument("--endpoint", metavar="E", help="default: the one of the model's kind with most studies")
    command.add_argument("--subset", default="all", metavar="S", help="default: all")
    _rows(command)
    _prior_option(command)
    command.add_argument("--replicates", type=_whole(20, 100_000), default=DEFAULT_REPLICATES, metavar="N",
                         help=f"simulated data sets, at least 20; default: {DEFAULT_REPLICATES}")
    _seed_option(command)
    command.add_argument("--fault", choices=tuple(FAULTS), help="plant an error, which has to be found (exit code 3)")
    command.add_argument("--processes", type=_whole(1, 64), default=2, metavar="P",
                         help="the result does not depend on it; default: 2")
    command.add_argument("--output", type=_new_folder, metavar="DIR", help="write the PITs and a figure there")


def _command(commands: argparse._SubParsersAction, name: str, text: str) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    made.add_argument("--data", type=_folder, default=DEFAULT_DATA, metavar="DIR", help="evidence directory")
    made.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else there")
    return made


def _rows(command: argparse.ArgumentParser) -> None:
    command.add_argument("--tiers", type=_tiers, default="AB", metavar="LETTERS",
                         help="evidence tiers that count; default: AB")
    command.add_argument("--set", choices=SETS, default="review", dest="study_set",
                         help="the review's studies, later ones, or both; default: review")
    command.add_argument("--without", action="append", default=[], metavar="STUDY",
                         help="leave a study out, such as one that shares patients with another; may be repeated")
    command.add_argument("--retrospective", action="store_true", help="count retrospective studies as well")
    command.add_argument("--horizon", type=_months, metavar="MONTHS",
                         help="months at which survival is read, and by which a study's row is chosen where it prints "
                              "several; default: the endpoint's own, else 12")


def _settings(command: argparse.ArgumentParser) -> None:
    _rows(command)
    _prior_option(command)
    command.add_argument("--level", type=_level, default=0.95, help="level of all intervals; default: 0.95")
    _seed_option(command)
    command.add_argument("--quick", action="store_true", help="short chains, no figures; everything is stamped QUICK")


def _prior_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--prior", type=_prior, action="append", default=[], metavar="NAME=EXPR",
                         help='replaces a prior, such as rho="Beta(1, 10)"; may be repeated')


def _seed_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=_seed, default=1, metavar="N", help="default: 1")


def question_of(options: argparse.Namespace, endpoint: str = "") -> Question:
    """The rows that a command asks for."""
    return Question(endpoint, getattr(options, "subset", ALL), options.tiers, options.study_set,
                    horizon=options.horizon, without=tuple(sorted(set(options.without))),
                    retrospective=options.retrospective)


def base_job(options: argparse.Namespace, endpoint: str = "") -> Job:
    """The settings of a command as a job."""
    return Job(question_of(options, endpoint), model=getattr(options, "model", None), priors=tuple(options.prior),
               seed=options.seed, level=options.level, engine=getattr(options, "engine", "nuts"))


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


def _prior(text: str) -> tuple[str, str]:
    match = _PRIOR.fullmatch(text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=EXPR, such as rho=Beta(1,4)")
    return match[1], match[2]


def _number(text: str, low: float, high: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} between {low:g} and {high:g}")
    return value


def _level(text: str) -> float:
    return _number(text, 0.5, 0.999, "a level")


def _months(text: str) -> float:
    return _number(text, 0.1, 1200.0, "a number of months")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number between {low} and {high}")
        return int(text)

    return read


def _seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at most 18 digits")
    return int(text)
