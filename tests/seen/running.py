"""One report for all tests of this folder, with its results kept: run in this process, by the command itself."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.cases.settings import EXACT, Job, Sampler
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.results.results import Results
from analysis.runs import report as making
from analysis.runs.workers import Nobody
from tests.report.reading import csv_rows
from tests.seen.evidence import write

SAMPLED = ("os",)
"""Endpoints whose headline is sampled, so that both engines stand in the tables; all else is quadrature."""


@dataclass(frozen=True)
class Seen:
    """What one report left behind.

    Parameters
    ----------
    printed, told : str
        Standard output and standard error.
    tables : mapping of str to list of rows
        Each CSV file of the output by its name, as text.
    results : Results
        What the tables, figures and page were made of.
    """

    code: int
    printed: str
    told: str
    data: Path
    folder: Path
    tables: dict[str, list[dict[str, str]]]
    columns: dict[str, list[str]]
    results: Results
    evidence: Evidence
    run: dict[str, Any]


def command(arguments: Sequence[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the program in this process."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = ended.code
    return int(code or 0), out.getvalue(), err.getvalue()


def report(folder: Path) -> Seen:
    """Write the evidence below `folder` and make its report there."""
    data, output = write(folder / "evidence"), folder / "out"
    kept: list[Results] = []
    run_all = making.run_all

    def keeping(*arguments: Any, **options: Any) -> Results:
        kept.append(run_all(*arguments, **options))
        return kept[-1]

    with in_this_process() as patched:
        patched.setattr(making, "run_all", keeping)
        code, printed, told = command(["report", "--data", str(data), "--output", str(output)])
    names = sorted(path.name for path in output.glob("*.csv"))
    return Seen(code, printed, told, data, output, {name: csv_rows(output / name) for name in names},
                {name: header(output / name) for name in names}, kept[-1], load(data),
                json.loads((output / "run.json").read_text(encoding="utf-8")))


@contextmanager
def in_this_process() -> Iterator[pytest.MonkeyPatch]:
    """Reports without a second process, and by quadrature but for the headlines of `SAMPLED`."""
    plan = making.plan

    def planned(*arguments: Any, **options: Any) -> list[Job]:
        return [_engine(job) for job in plan(*arguments, **options)]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("analysis.commands.report.helper", lambda evidence: nullcontext(Nobody()))
        patched.setattr(making, "plan", planned)
        yield patched


def _engine(job: Job) -> Job:
    """The job by quadrature, but for the headlines of `SAMPLED`."""
    sampled = (job.question.endpoint in SAMPLED and job.question.subset == "all" and job.question.tiers == "AB"
               and job.question.early_landmarks)
    short = Sampler(tune=400, draws=2400)
    return replace(job, sampler=short) if sampled else replace(job, engine=EXACT, sampler=short)


def header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))
