"""Problems print as one safe line and travel as data."""

import json
import pickle

import pytest

from analysis.evidence.problems import EvidenceError, Problem

from .build import FULL, with_cell


def test_the_line_names_place_value_rule_remedy_and_facts(problems_of):
    (found,) = problems_of(responses=with_cell(FULL["responses.csv"], 2, "events", "54"))
    assert str(found) == (
        "responses.csv row 2 (park_2018, cr): events = 54 exceeds n = 53. "
        "Correct the count or the denominator. Facts F0123 F0124."
    )


@pytest.mark.parametrize("value", ["a\nb", "a\r\nb", "\x1b[2J", "\u202etxt", "\u2028", "\ud800", "x" * 9999, "\0"])
def test_no_value_breaks_the_line(value):
    line = str(Problem(value, 3, value, value, "is wrong", "Mend it.", value))
    assert line.isprintable()
    assert "\n" not in line


def test_long_values_are_cut():
    line = str(Problem("f.csv", 3, "c", "x" * 500, "is wrong", "Mend it."))
    assert line == f"f.csv row 3: c = {'x' * 60}... is wrong. Mend it."


def test_a_problem_of_a_whole_file_has_no_row():
    assert str(Problem("f.csv", None, "", "", "is missing", "Add it.")) == "f.csv: is missing. Add it."


def test_as_dict_is_json():
    problem = Problem("f.csv", 3, "c", "a\x1bb", "is wrong", "Mend it.", "s")
    assert Problem(**json.loads(json.dumps(problem.as_dict()))) == problem


def test_the_error_carries_and_prints_every_problem():
    problems = tuple(Problem("f.csv", row, "c", "v", "is wrong", "Mend it.") for row in range(2, 302))
    error = pickle.loads(pickle.dumps(EvidenceError(problems)))
    assert error.problems == problems
    assert str(error).splitlines() == [str(problem) for problem in problems]
