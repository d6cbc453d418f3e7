"""The command of a page asks for what the run asked."""

import shlex
from dataclasses import replace
from pathlib import Path

from analysis.cases.settings import Job, Question
from analysis.chapters.workings import command
from analysis.commands.arguments import base_job, parser
from tests.reporting import project_results


def test_the_command_that_repeats_a_run_is_read_as_its_settings():
    results = project_results()
    question = Question("", tiers="ABC", study_set="all", without=("gu_2020", "park_2018"), retrospective=True,
                        horizon=6.0)
    base = Job(question, priors=(("rho", "Beta(1, 10)"), ("eta", "Normal(0, 1)")), seed=7, level=0.9)
    evidence = replace(results.evidence, directory=Path("my data"))
    for asked, data in ((replace(results, base=base, evidence=evidence), "my data"),
                        (replace(results, base=Job(Question(""))), None)):
        words = shlex.split(command(asked))
        options = parser().parse_args(words[3:])
        assert base_job(options) == asked.base and ("--data" in words) == bool(data)
        assert data is None or str(options.data) == data


def test_the_command_repeats_level_and_horizon_to_the_last_digit():
    results = project_results()
    question = replace(results.base.question, horizon=18.2621355)
    words = shlex.split(command(replace(results, base=replace(results.base, question=question, level=0.98765432))))
    assert [words[words.index(name) + 1] for name in ("--level", "--horizon")] == ["0.98765432", "18.2621355"]
