"""Newer evidence in a directory: what is known, what is new, what is refused, and what stays when a run is killed."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
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
    """Its facts are not those of the directory, whose rows must not cite them; that they stay behind is said."""
    assert update(place, FOLDER) == 0
    evidence = load(place)
    facts = len(load(FOLDER).facts)
    assert f"{facts} facts of the newer evidence's ledger stay in {FOLDER}" in capsys.readouterr().out
    assert counts(place)["a"] == (30, 40) and not any(row.fact_ids for row in evidence.responses)
    assert {row.study_id for row in load(FOLDER).responses} <= {study.study_id for study in evidence.studies}


LEDGER = {
    "studies.csv": "study_id,label,source\na,Alpha 2019,F1 F2\nb,Beta 2020,\n",
    "endpoints.csv": TABLES["endpoints.csv"],
    "responses.csv": "study_id,endpoint,events,n,tier,fact_ids,decision\na,cr,30,40,A,F2 F1,Both say so.\n"
                     "b,cr,28,41,A,F3,Printed.\n",
    "sources.csv": "source_id,citation\njo,A journal\npage,A page\n",
    "extraction.csv": "fact_id,study_id,endpoint,quantity,value,denominator,source_id,note\nF1,a,cr,events,30,40,jo,\n"
                      "F2,a,cr,percent,75,40,page,\nF3,b,cr,events,28,41,jo,\n"}
NEWER = LEDGER | {
    "studies.csv": "study_id,label,source\na,Alpha 2019,F1 F2\nz,Zeta 2024,F3\n",
    "responses.csv": "study_id,endpoint,events,n,tier,fact_ids,decision\na,cr,33,43,A,F1 F2,The later cut.\n"
                     "z,cr,9,20,C,F3,Doubtful base.\n",
    "sources.csv": "source_id,citation\njo,A journal\npage,Another page\nunused,Nobody\n",
    "extraction.csv": "fact_id,study_id,endpoint,quantity,value,denominator,source_id,note\nF1,a,cr,events,30,40,jo,\n"
                      "F2,a,cr,events,33,43,page,\nF3,z,cr,events,9,20,jo,base doubtful\n"}


def test_facts_of_another_ledger_come_along_under_ids_that_are_free(tmp_path, capsys):
    """What both ledgers hold stands once; an id or a source of the same name and other content is told apart."""
    place = write_files(tmp_path / "own", LEDGER)
    assert update(place, write_files(tmp_path / "newer", NEWER)) == 0
    assert "2 facts of the newer evidence's ledger came along" in capsys.readouterr().out
    evidence = load(place)
    facts = {fact.fact_id: (fact.study_id, fact.value, fact.source_id) for fact in evidence.facts}
    assert facts == {"F1": ("a", 30, "jo"), "F2": ("a", 75, "page"), "F3": ("b", 28, "jo"),
                     "F0004": ("a", 33, "page_2"), "F0005": ("z", 9, "jo")}
    assert {source.source_id: source.citation for source in evidence.sources} == {
        "jo": "A journal", "page": "A page", "page_2": "Another page"}
    cited = {row.study_id: (row.events, row.tier, row.fact_ids, row.decision) for row in evidence.responses}
    assert cited == {"a": (33, "A", ("F1", "F0004"), "The later cut."), "b": (28, "A", ("F3",), "Printed."),
                     "z": (9, "C", ("F0005",), "Doubtful base.")}
    assert [study.columns["source"] for study in evidence.studies] == ["F1 F0004", "", "F0005"]
    # Nothing is left to be said a second time.
    before = content(place)
    assert update(place, tmp_path / "newer") == 0 and content(place) == before


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


CURVES = {
    "studies.csv": "study_id,label,overlaps_with\na,Alpha 2019,\nb,Beta 2020,\n",
    "endpoints.csv": "endpoint,label,kind,direction\nos,Survival,survival,benefit\n",
    "survival.csv": "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n,events,{time},tier,fact_ids\n"
                    "a,os,landmark,12,0.6,,,40,,,A,first\nb,os,,,,,,30,5,{at_risk},A,second\n",
    "sources.csv": "source_id,citation\njo,A journal\n",
    "extraction.csv": "fact_id,study_id,endpoint,quantity,value,source_id\nfirst,a,os,percent,60,jo\n"
                      "second,b,os,events,5,jo\n"}


def curves(folder: Path, time: str = "person_months", at_risk: int = 300) -> Path:
    """A directory with a ledger whose ids are words, and its time at risk in this column."""
    text = CURVES["survival.csv"].format(time=time, at_risk=at_risk)
    return write_files(folder, CURVES | {"survival.csv": text})


def test_a_fact_has_its_times_in_months_whatever_the_sheet_has(tmp_path):
    """1.5 years are a fact of 18 months, and the second time they are known."""
    place = curves(tmp_path / "own")
    source = sheet(tmp_path, "study,endpoint,statistic,time_months,estimate,ci_low,ci_high,n,time_unit\n"
                   "Eta,os,landmark,2,0.5,,,30,years\nTheta,os,median,,1.5,1,2,30,years\n")
    assert update(place, source) == 0
    facts = {fact.study_id: (fact.fact_id, fact.value, fact.ci_low, fact.ci_high, fact.time_months)
             for fact in load(place).facts[2:]}
    assert facts == {"eta": ("F0001", 0.5, None, None, 24.0), "theta": ("F0002", 18.0, 12.0, 24.0, None)}
    before = content(place)
    assert update(place, source) == 0 and content(place) == before


@pytest.mark.parametrize(("time", "at_risk"), [("person_months", 300), ("person_years", 25)])
@pytest.mark.parametrize("line", ["person_years,n\nEta,os,5,40,30", "person_months,n\nEta,os,5,480,30"])
def test_time_at_risk_joins_in_the_unit_of_the_directory(tmp_path, time, at_risk, line):
    place = curves(tmp_path / "own", time, at_risk)
    assert update(place, sheet(tmp_path, f"study,endpoint,events,{line}\n")) == 0
    assert [row.person_months for row in load(place).survival] == [None, 300.0, 480.0]


def test_person_time_of_a_median_that_was_not_reached_is_no_report_that_is_predicted(tmp_path):
    place = curves(tmp_path / "own")
    assert update(place, sheet(
        tmp_path, "study,endpoint,statistic,time_months,estimate,ci_low,ci_high,upper_not_reached,events,person_months,"
        "n\nEta,os,median,18,,9,,true,5,480,30\n")) == 0
    (*_, row) = load(place).survival
    assert (row.statistic, row.events, row.person_months, row.median_not_reached) == ("", 5, 480.0, False)


def test_patients_one_by_one_join_and_a_further_one_of_the_same_months_is_news(tmp_path):
    place = curves(tmp_path / "own")
    newer = {"studies.csv": "study_id,label\nx-1,Xi\n", "endpoints.csv": CURVES["endpoints.csv"],
             "sources.csv": "source_id,citation\njo,Another\n",
             "patients.csv": "study_id,endpoint,months,status,source_id\nx-1,os,3,event,jo\nx-1,os,8,censored,jo\n"}
    assert update(place, write_files(tmp_path / "newer", newer)) == 0
    (row,) = load(place).patients
    assert (row.study_id, row.events, row.person_months) == ("x-1", 1, 11.0)
    assert {source.source_id: source.citation for source in load(place).sources} == {
        "jo": "A journal", "jo_2": "Another"}
    before = content(place)
    assert update(place, tmp_path / "newer") == 0 and content(place) == before
    newer["patients.csv"] += "x-1,os,3,event,jo\n"
    assert update(place, write_files(tmp_path / "newer", newer)) == 0
    assert load(place).patients[0].person_months == 14.0


@pytest.mark.parametrize("flags", [["--same", "x=a"], []])
def test_shared_patients_of_newer_studies_are_found_under_the_ids_that_they_get(place, tmp_path, capsys, flags):
    newer = {"studies.csv": "study_id,label,overlaps_with\nx,Xi,\ny,Ypsilon,x\n",
             "endpoints.csv": TABLES["endpoints.csv"],
             "responses.csv": "study_id,endpoint,events,n\nx,cr,31,41\ny,cr,10,20\n"}
    assert update(place, write_files(tmp_path / "newer", newer), *flags) == 2
    assert f"{'a' if flags else 'x'} (studies.csv row" in (said := capsys.readouterr().err)
    assert "share patients (overlaps_with)" in said


def test_the_parent_of_a_new_endpoint_is_the_known_one_of_its_label(place, tmp_path):
    newer = {"studies.csv": "study_id,label\nx,Xi\n",
             "endpoints.csv": "endpoint,label,kind,direction,parent\nremission,Complete remission,rate,benefit,\n"
                              "mrd,MRD,rate,benefit,remission\nodd,Odd,rate,benefit,unused\n"
                              "unused,Unused,rate,benefit,\n",
             "responses.csv": "study_id,endpoint,events,n\nx,mrd,31,41\nx,odd,1,41\n"}
    assert update(place, write_files(tmp_path / "newer", newer)) == 0
    assert {row.endpoint: row.parent for row in load(place).endpoints} == {"cr": "", "mrd": "cr", "odd": ""}


def test_a_study_of_a_known_id_can_be_declared_distinct(place, tmp_path):
    source = sheet(tmp_path, "study,label,endpoint,events,n\na,Another 2024,cr,12,20\n")
    assert update(place, source, "--distinct", "a") == 0
    assert (counts(place)["a"], counts(place)["a_2"]) == ((30, 40), (12, 20))


KILLER = """
import os, pathlib, shutil, signal, sys
from analysis.__main__ import main

place, source, kept = map(pathlib.Path, sys.argv[1:])
shutil.copytree(place, kept)

def update(last):
    reading, writing = os.pipe()
    if not (child := os.fork()):
        steps = 0
        def hook(event, arguments):
            nonlocal steps
            if event.split(".")[0] in ("open", "os", "shutil") and str(place.parent) in str(arguments[:1]):
                steps += 1
                if steps == last:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        code = main(["update", str(source), "--data", str(place)])
        os.write(writing, str(steps).encode())
        os._exit(code)
    os.waitpid(child, 0)
    os.close(writing)
    return int(os.read(reading, 20) or 0)

def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}

def again():
    shutil.rmtree(place)
    shutil.copytree(kept, place)

main(["update", str(source), "--data", str(place), "--dry-run"])  # solved here, once for all
before, total = content(place), update(0)
after = content(place)
again()
assert after != before and total > 20
for last in sorted({*range(1, total, max(1, total // 12)), *range(total - 12, total + 1)}):
    assert update(last) == 0
    print("before" if content(place) == before else "after" if content(place) == after else "broken", file=sys.stderr)
    again()
"""


def test_kill_in_the_middle_leaves_the_directory_as_it_was_or_whole(place, tmp_path):
    """Killed at steps all over the run, and at each of the last ones, when the new directory takes its place."""
    source, before = sheet(tmp_path, "study,endpoint,events,n\nEta,cr,12,20\n"), content(place)
    places = [str(path) for path in (place, source, tmp_path.parent / f"{tmp_path.name}.kept")]
    run = subprocess.run([sys.executable, "-c", KILLER, *places], cwd=ROOT, capture_output=True, text=True, check=False)
    left = run.stderr.split()
    assert run.returncode == 0, run.stderr
    assert set(left) == {"before", "after"} and len(left) >= 20
    assert content(place) == before
    assert update(place, source) == 0 and counts(place)["eta"] == (12, 20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newer.csv", "own"]


def _only(folder: Path, studies: set[str]) -> Path:
    """The shipped evidence with the rows of these studies."""
    folder.mkdir()
    for file in FOLDER.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        at = header.index("study_id") if "study_id" in header else None
        with (folder / file.name).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *(row for row in rows if at is None or row[at] in {*studies, ""})])
    return folder


def test_later_studies_one_by_one_or_together_give_the_posterior_of_the_shipped_evidence(tmp_path):
    shipped = load(FOLDER)
    review = {study.study_id for study in shipped.studies if study.in_review}
    with_rows = {row.study_id for row in (*shipped.responses, *shipped.survival)}
    later = [study.study_id for study in shipped.studies if study.study_id in with_rows - review]
    of_facts_alone = {study.study_id for study in shipped.studies} - review - with_rows
    together, by_one = (_only(tmp_path / name, review) for name in ("together", "by_one"))
    # Phase 1 has the registration of phase 2 and other patients.
    distinct = ["--distinct", "shah_2021_phase1"]
    assert update(together, _only(tmp_path / "all", {*later, *of_facts_alone}), *distinct) == 0
    for name in later:
        choice = distinct if name == "shah_2021_phase1" else []
        assert update(by_one, _only(tmp_path / name, {name, *of_facts_alone}), *choice) == 0
    job = Job(Question("", study_set="all"))
    for endpoint, location in (("cr", "mu"), ("os", "eta")):
        found = [posterior_of(headline_case(load(place), job, endpoint)).summary(location)
                 for place in (FOLDER, together, by_one)]
        shipped_one, *others = [np.array((one.median, one.lower, one.upper)) for one in found]
        assert all(other == pytest.approx(shipped_one, rel=1e-6) for other in others)
    assert len(load(by_one).facts) == len(load(together).facts) == len(shipped.facts)
