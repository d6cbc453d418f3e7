"""How to run it again: every digit of what was asked for."""

import shlex
from dataclasses import replace

from analysis.chapters.workings import command
from tests.reporting import project_results


def test_the_command_repeats_level_and_horizon_to_the_last_digit():
    results = project_results()
    question = replace(results.base.question, horizon=18.2621355)
    words = shlex.split(command(replace(results, base=replace(results.base, question=question, level=0.98765432))))
    assert [words[words.index(name) + 1] for name in ("--level", "--horizon")] == ["0.98765432", "18.2621355"]
