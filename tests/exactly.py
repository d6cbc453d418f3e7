"""Whole results of an evidence directory by quadrature alone: every table and figure in seconds, without a sampler."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from analysis.cases.settings import EXACT, QUICK, Job, Question
from analysis.chapters.chapter import all_chapters
from analysis.commands import report
from analysis.evidence.types import Evidence
from analysis.results.results import Results
from analysis.runs import report as making
from analysis.runs.pipeline import run_all
from analysis.runs.plan import plan
from analysis.runs.workers import Nobody


def exact_results(evidence: Evidence, *, without: tuple[str, ...] = (), executor: Executor | None = None) -> Results:
    """The results of `report` with the exact engine in place of the sampler, without some chapters."""
    base = Job(Question(""), engine=EXACT, sampler=QUICK)
    jobs = plan(evidence, base, quick=True)
    chapters = [chapter for chapter in all_chapters() if chapter.name not in without]
    return run_all(evidence, base, jobs, chapters, folder=None, executor=executor or Nobody(), quick=True)


def exactly(job: Job) -> Job:
    """The job by quadrature."""
    return replace(job, engine=EXACT, sampler=QUICK)


@contextmanager
def quadrature(engine: Callable[[Job], Job] = exactly) -> Iterator[None]:
    """Let the command `report` work in this process, where faults can be planted, with the engine that is given."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(report, "helper", lambda evidence: Nobody())
        patched.setattr(making, "plan", lambda *arguments, **options: [
            engine(job) for job in plan(*arguments, **options)])
        yield
