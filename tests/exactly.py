"""Whole results of an evidence directory by quadrature alone: every table and figure in seconds, without a sampler."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from analysis.cases.selection import Question
from analysis.cases.settings import EXACT, QUICK, Job
from analysis.chapters.chapter import all_chapters
from analysis.evidence import Evidence
from analysis.results.results import Results
from analysis.runs.pipeline import run_all
from analysis.runs.plan import plan


class Idle(Executor):
    """A helper process that begins nothing, so that all is done here."""

    def submit(self, function: Callable, /, *arguments: Any, **options: Any) -> Future:
        return Future()


def exact_results(evidence: Evidence, *, without: tuple[str, ...] = (), executor: Executor | None = None) -> Results:
    """The results of `report` with the exact engine in place of the sampler, without some chapters."""
    base = Job(Question(""), engine=EXACT, sampler=QUICK)
    jobs = [replace(job, sampler=QUICK, engine=EXACT) for job in plan(evidence, base)]
    chapters = [chapter for chapter in all_chapters() if chapter.name not in without]
    return run_all(evidence, base, jobs, chapters, folder=None, executor=executor or Idle(), quick=True)
