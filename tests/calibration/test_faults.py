"""Faults of survival that start from what is printed: each planted one is found, and its absence is no alarm."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.simulation.end_to_end import LAWS, World, scored, simulate_world
from analysis.simulation.studies import seen_studies
from models.studies import CurveStudies
from tests.evidence.build import write_evidence

STUDIES = 20
PRINTED = {"log_hazard": "{0},os,median,,12,8,18,40\n",
           "exponential": "{0},os,landmark,6,0.7,,,40\n{0},os,landmark,18,0.4,,,40\n"}


def evidence(folder, model):
    """Twenty studies of forty patients that all print the same."""
    names = [f"s{at}" for at in range(STUDIES)]
    return str(write_evidence(
        folder, studies="study_id,label,year\n" + "".join(f"{name},{name},2000\n" for name in names), responses=None,
        endpoints="endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n",
        survival="study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n" + "".join(
            PRINTED[model].format(name) for name in names)))


@pytest.mark.parametrize("model", PRINTED)
@pytest.mark.parametrize("fault", ["level", "counts", "twice", None])
def test_planted_faults_are_found(model, fault, tmp_path, capsys):
    """Patients of curves are the exponential ones: those of `weibull` are read by the same code, ten times slower.

    A wrong level is the smallest of the faults, so that it and what is without fault have more replicates.
    """
    replicates = "40" if fault in ("level", None) else "30"
    arguments = ["calibrate", model, "--replicates", replicates, "--processes", "1", "--json", "--data",
                 evidence(tmp_path, model), *(["--fault", fault] if fault else [])]
    assert main(arguments) == (3 if fault else 0)
    found = json.loads(capsys.readouterr().out)
    assert found["failures"] == [] and found["fault"] == fault and found["passed"] == (fault is None)


def test_a_wrong_level_of_curves_is_a_wrong_number_of_patients():
    studies = CurveStudies(("a",), [[0.0]], [[12.0]], [[10.0]], [[12.0]], [[20.0]], *([0.0] for _ in range(5)),
                           [[[0.0, 12.0, 0.5]]], [0.0], [30])
    seen = seen_studies(studies, "level")
    assert seen.counts[0, 0] * 1.959964**2 == pytest.approx(10.0, rel=1e-6)
    assert seen.survivors[0, 0] / seen.counts[0, 0] == pytest.approx(2.0)


@pytest.mark.parametrize("method", ["log_hazard", "weibull"])
def test_patients_show_a_forgotten_level(method, shipped, monkeypatch):
    """Printed 95 % limits that are taken for limits of 68 %: the same patients, another answer."""
    from analysis.simulation import end_to_end

    law = dict(LAWS["pfs"])["falling hazard"]
    world = World("pfs", "falling", law, select(shipped, Question("pfs")).curves, 1)
    true, printed = simulate_world(world, 2), end_to_end.printed

    def misread(rows, law, rng):
        return tuple(replace(row, ci_level=0.6827) if row.ci_level else row for row in printed(rows, law, rng))

    monkeypatch.setattr(end_to_end, "printed", misread)
    width = {name: np.mean([row["width"] for row in scored(world, results) if row["method"] == method])
             for name, results in (("true", true), ("misread", simulate_world(world, 2)))}
    assert abs(width["misread"] / width["true"] - 1.0) > 0.05
