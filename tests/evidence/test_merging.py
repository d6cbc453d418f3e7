"""Newer evidence in a directory: what is known, what is new, what is refused, and what stays when a run is killed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.cases.case import headline_case
from analysis.cases.settings import Job, Question
from analysis.evidence.loading import load
from analysis.inference.posterior import posterior_of
from tests.data.tables import FOLDER
from tests.evidence.build import write_files

ROOT = Path(__file__).resolve().parents[2]
STUDIES = """study_id,label,registry_id,overlaps_with
a,Alpha 2019,NCT01,
b,Beta 2020,NCT02; NCT03,
c,Gamma 2021,,
d,Delta 2022,,
"""
TABLES = {"studies.csv": STUDIES,
          "endpoints.csv": "endpoint,label,kind,direction\ncr,Complete remission,rate,benefit\n",
          "responses.csv": "study_id,endpoint,events,n\na,cr,30,40\nb,cr,28,41\nc,cr,25,33\nd,cr,40,52\n",
          "notes.txt": "mine"}


@pytest.fixture
def place(tmp_path):
    return write_files(tmp_path / "own", TABLES)


def sheet(folder: Path, text: str) -> Path:
    path = folder / "newer.csv"
    path.write_text(text, encoding="utf-8")
    return path


def update(place: Path, source: Path, *flags: str) -> int:
    return main(["update", str(source), "--data", str(place), *flags])


def counts(place: Path) -> dict[str, tuple[int, int]]:
    return {row.study_id: (row.events, row.n) for row in load(place).responses}


def content(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_new_studies_join_and_newer_reports_replace(place, tmp_path, capsys):
    source = sheet(tmp_path, "study,endpoint,events,n\nGamma 2021,complete remission,26,35\nEta,cr,12,20\n")
    assert update(place, source, "--json") == 0
    assert counts(place) == {"a": (30, 40), "b": (28, 41), "c": (26, 35), "d": (40, 52), "eta": (12, 20)}
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["updated"]) == (["eta"], ["c"])
    assert told["replaced"] == [{"study_id": "c", "endpoint": "cr", "rows": 1}]
    (endpoint,) = told["endpoints"]
    assert endpoint["after"]["median"] == pytest.approx(_mean(place)) != endpoint["before"]["median"]
    assert {report["study_id"] for report in endpoint["reports"]} == {"c", "eta"}
    assert (place / "notes.txt").read_text() == "mine"


def _mean(place: Path) -> float:
    return posterior_of(headline_case(load(place), Job(Question("")), "cr")).summary("mu").median


def test_a_trial_says_the_same_and_writes_nothing(place, tmp_path, capsys):
    source, before = sheet(tmp_path, "study,endpoint,events,n\nEta,cr,2,20\n"), content(place)
    assert update(place, source, "--dry-run") == 0
    trial = capsys.readouterr().out
    assert "would change" in trial and "changes" in trial and content(place) == before
    assert update(place, source) == 0
    assert capsys.readouterr().out == trial.replace("would change", "changed")


def test_what_is_known_already_changes_nothing(place, tmp_path, capsys):
    source = sheet(tmp_path, "study,endpoint,events,n\nEta,cr,12,20\nAlpha 2019,cr,30,40\n")
    assert update(place, source) == 0
    before = content(place)
    assert update(place, source) == 0 and content(place) == before
    assert "0 studies added (none), 0 updated (none)" in capsys.readouterr().out


def test_cells_of_a_known_study_that_change_are_named(place, tmp_path, capsys):
    source = sheet(tmp_path, "study,label,endpoint,events,n,registry_id\na,Alpha 2019,cr,31,40,NCT09\n")
    assert update(place, source) == 0
    assert "a, registry_id: NCT01 becomes NCT09" in capsys.readouterr().out
    assert load(place).study("a").columns["registry_id"] == "NCT09"


def test_a_directory_with_a_ledger_of_its_own_joins_one_without(place, capsys):
    """Its facts are not those of the directory, whose rows must not cite them."""
    assert update(place, FOLDER) == 0
    evidence = load(place)
    assert counts(place)["a"] == (30, 40) and not any(row.fact_ids for row in evidence.responses)
    assert {row.study_id for row in load(FOLDER).responses} <= {study.study_id for study in evidence.studies}


def test_the_working_directory_is_not_exchanged(place, tmp_path, capsys, monkeypatch):
    source = sheet(tmp_path, "study,endpoint,events,n\nEta,cr,12,20\n")
    monkeypatch.chdir(place)
    before = content(place)
    assert update(Path("."), source) == 2 and content(place) == before
    assert "it is or holds the working directory" in capsys.readouterr().err
    assert update(Path("."), source, "--dry-run") == 0


@pytest.mark.parametrize(("cells", "said"), [
    ("Eta,cr,12,20,NCT03,", "eta has the registration NCT03 of b: --same eta=b"),
    ("Eta,cr,12,20,,c", "eta shares patients (overlaps_with) with c: --same eta=c")])
def test_a_study_that_may_be_known_is_refused_until_somebody_says_which(place, tmp_path, capsys, cells, said):
    source, before = sheet(tmp_path, f"study,endpoint,events,n,registry_id,overlaps_with\n{cells}\n"), content(place)
    assert update(place, source) == 2
    assert said in capsys.readouterr().err and content(place) == before
    assert update(place, source, "--skip", "eta") == 0 and content(place) == before
    other = said.partition("eta=")[2]
    assert update(place, source, "--same", f"eta={other}", "--dry-run") == 0
    assert f"{other}, cr: 1 row replaced" in capsys.readouterr().out


def test_cohorts_of_one_registration_can_be_declared_distinct(place, tmp_path):
    source = sheet(tmp_path, "study,endpoint,events,n,registry_id\nBeta phase 1,cr,12,20,NCT02\n")
    assert update(place, source, "--distinct", "beta_phase_1") == 0
    assert counts(place)["beta_phase_1"] == (12, 20) and counts(place)["b"] == (28, 41)


def test_shared_patients_are_pooled_by_no_choice(place, tmp_path, capsys):
    """Declared distinct, and yet declared to overlap: the fit after it would count patients twice."""
    source = sheet(tmp_path, "study,endpoint,events,n,overlaps_with\nEta,cr,12,20,c\n")
    before = content(place)
    assert update(place, source, "--distinct", "eta") == 2
    assert "share patients (overlaps_with)" in capsys.readouterr().err and content(place) == before


@pytest.mark.parametrize(("flags", "said"), [
    (["--skip", "zeta"], "--skip zeta: the newer evidence has no such study; it has eta"),
    (["--same", "eta=zeta"], "--same ...=zeta: the directory has no such study"),
    (["--same", "eta"], "'eta' is not NEW=OLD")])
def test_names_that_do_not_exist_are_refused(place, tmp_path, capsys, flags, said):
    assert update(place, sheet(tmp_path, "study,endpoint,events,n\nEta,cr,12,20\n"), *flags) == 2
    assert said in capsys.readouterr().err


def test_bad_evidence_is_told_and_nothing_is_written(place, tmp_path, capsys):
    before = content(place)
    assert update(place, sheet(tmp_path, "study,endpoint,events,n\nEta,cr,25,20\n")) == 2
    assert "newer.csv row 2 (eta, cr): events = 25 exceeds n = 20" in capsys.readouterr().err
    assert content(place) == before


def test_one_by_one_and_together_give_the_same(place, tmp_path):
    lines = ["Eta,cr,12,20", "Theta,cr,31,39", "Iota,cr,9,18"]
    for line in lines:
        assert update(place, sheet(tmp_path, f"study,endpoint,events,n\n{line}\n")) == 0
    other = write_files(tmp_path / "other", TABLES)
    assert update(other, sheet(tmp_path, "study,endpoint,events,n\n" + "\n".join(lines))) == 0
    assert content(place) == content(other)


def test_a_ledger_gets_the_fact_the_decision_and_the_source(tmp_path, capsys):
    from shutil import copytree

    place = Path(copytree(FOLDER, tmp_path / "copy"))
    rows = "Li 2018,cr,8,10\nMa 2020,cr,7,9\nWang J 2020,cr,20,23\nPark 2018,cr,45,53\n"
    assert update(place, sheet(tmp_path, f"study,endpoint,events,n\n{rows}")) == 0
    evidence = load(place)
    for study_id, label, events in (("li_2018", "Li 2018", 8), ("park_2018", "Park 2018", 45)):
        (row,) = (row for row in evidence.responses if (row.study_id, row.endpoint) == (study_id, "cr"))
        (fact,) = (fact for fact in evidence.facts if fact.fact_id in row.fact_ids)
        assert (row.events, row.tier, fact.value, fact.source_id) == (events, "B", events, "newer"), label
    # What was found before stays in the ledger, where it contradicts.
    assert len(evidence.facts) == len(load(FOLDER).facts) + 4
    assert len(headline_case(evidence, Job(Question("")), "cr").studies) == 13
    with (place / "sources.csv").open(encoding="utf-8") as stream:
        assert [row["source_id"] for row in csv.DictReader(stream)].count("newer") == 1


def test_kill_in_the_middle_leaves_the_directory_as_it_was_or_whole(place, tmp_path):
    source, before = sheet(tmp_path, "study,endpoint,events,n\nEta,cr,12,20\n"), content(place)
    for wait in (0.4, 0.8, 1.1, 1.4):
        process = subprocess.Popen([sys.executable, "-m", "analysis", "update", str(source), "--data", str(place)],
                                   cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert content(place) == before or counts(place)["eta"] == (12, 20)
    assert update(place, source) == 0 and counts(place)["eta"] == (12, 20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newer.csv", "own"]
