"""Whole results of an evidence directory by quadrature alone: every table and figure in seconds, without a sampler.

As a script: the program itself, whose reports sample only what has no density.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

import pytest

from analysis.__main__ import main
from analysis.cases.settings import EXACT, QUICK, Job, Question
from analysis.chapters.chapter import all_chapters
from analysis.chapters.sensitivity import rows as sensitivity
from analysis.commands import report
from analysis.evidence.directory import Evidence
from analysis.results.results import Results
from analysis.runs import report as making
from analysis.runs.pipeline import run_all
from analysis.runs.plan import plan
from analysis.runs.workers import Nobody
from models import all_models


def exact_results(evidence: Evidence, *, without: tuple[str, ...] = (), executor: Executor | None = None,
                  variants: int | None = None) -> Results:
    """The results of `report` with the exact engine in place of the sampler, without some chapters.

    Parameters
    ----------
    variants : int or None
        How many refits of the sensitivity analysis are made of each endpoint, the headline among them; None makes all.
    """
    base = Job(Question(""), engine=EXACT, sampler=QUICK)
    jobs = plan(evidence, base, quick=True)
    chapters = [chapter for chapter in all_chapters() if chapter.name not in without]
    with _few_variants(variants):
        return run_all(evidence, base, jobs, chapters, folder=None, executor=executor or Nobody(), quick=True)


@contextmanager
def _few_variants(count: int | None) -> Iterator[None]:
    every = sensitivity.variants
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sensitivity, "variants", lambda *arguments: islice(every(*arguments), count))
        yield


def exactly(job: Job) -> Job:
    """The job by quadrature; a model without a density is sampled."""
    return replace(job, engine=EXACT if all_models()[job.model].marginal else job.engine, sampler=QUICK)


@contextmanager
def quadrature(engine: Callable[[Job], Job] = exactly, *, alone: bool = True,
               variants: int | None = None) -> Iterator[None]:
    """Let the command `report` work with the engine that is given; alone in this process, where faults can be planted.
    """
    with pytest.MonkeyPatch.context() as patched, _few_variants(variants):
        if alone:
            patched.setattr(report, "helper", lambda evidence: Nobody())
        patched.setattr(making, "plan", lambda *arguments, **options: [
            engine(job) for job in plan(*arguments, **options)])
        yield


if __name__ == "__main__":
    with quadrature(alone=False, variants=2):
        sys.exit(main())
