"""What the page shows is what the command line prints, and its commands repeat it; hostile words are only words."""

import json
import shlex
from dataclasses import replace

import pytest
from markupsafe import escape

from analysis.__main__ import main
from analysis.cases.settings import Question
from analysis.commands.arguments import base_job, parser
from analysis.evidence.loading import load
from analysis.explorer import files, views
from analysis.explorer.state import asked, command, first_job, plan_asked, report_asked, studies_on_offer
from analysis.explorer.views import Refused, or_why, view_of
from analysis.inference.estimands import OF_A_STUDY
from analysis.results.tables import ESTIMATES
from analysis.system.errors import UsageError
from models import all_models
from tests.evidence.build import MINIMAL, write_files

HOSTILE = '<img src=x onerror=alert(1)> "\''
FORMS = {
    "as it is": {"endpoint": ["cr"]},
    "a study less, later ones more": {"endpoint": ["cr"], "set": ["all"], "tiered": ["1"], "tier": ["A", "B", "C"],
                                      "listed": ["hay_2019", "park_2018"], "study": ["park_2018"]},
    "another prior": {"endpoint": ["crs_grade3plus"], "beta_binomial.rho": ["Beta(1.0, 10.0)"]},
    "another model": {"endpoint": ["cr"], "model": ["logit_normal"], "subset": ["adult_only"]},
    "survival": {"endpoint": ["os"], "horizon": ["24"], "listed": ["gu_2020"], "retrospective": ["1"]},
}


def printed(line: str, capsys) -> dict:
    """What a command line of the page prints as JSON."""
    assert main([*shlex.split(line)[1:], "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def numbers(row) -> list[float]:
    row = row if isinstance(row, dict) else vars(row)
    return [row[name] for name in ("median", "lower", "upper")]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_command_repeats_the_numbers(shipped, capsys, form):
    view = view_of(shipped, asked(shipped, form), "")
    answer = printed(command(view.job, ""), capsys)
    by_name = {(row["estimand"], row["study_id"]): row for row in answer["estimates"]}
    assert answer["n_studies"] == len(view.case.studies)
    for one in view.pooled:
        assert numbers(one) == numbers(by_name[one.estimand, None])
    of_studies = {study: row for (name, study), row in by_name.items() if name in OF_A_STUDY}
    assert {name: numbers(one) for name, one in view.shrunken.items()} == (
        {} if view.case.model.name == "logit_normal" else {name: numbers(row) for name, row in of_studies.items()})
    late = files.results_of(shipped, view.job)
    page = views.result(view, late)
    assert escape(command(view.job, "")) in page and page.count('class="study"') == len(of_studies)
    assert page.count("<circle") == len(of_studies) + 1 + (view.published is not None)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_command_asks_for_the_same_job(shipped, form):
    job = asked(shipped, form)
    options = parser().parse_args(shlex.split(command(job, "my data.csv"))[1:])
    assert base_job(options, options.endpoint) == job
    assert str(options.data) == "my data.csv"


@pytest.mark.parametrize(("endpoint", "form", "number"), [
    ("cr", {"events": ["12"], "n": ["20"]}, 12 / 20),
    ("os", {"statistic": ["median"], "months": ["9"], "n": ["30"]}, 0.5),
    ("os", {"statistic": ["landmark"], "months": ["12"], "survival": ["0.4"], "n": ["30"]}, 0.4)])
def test_a_new_trial_is_judged_as_predict_judges_it(shipped, capsys, endpoint, form, number):
    view = view_of(shipped, asked(shipped, {"endpoint": [endpoint]}), "")
    page = views.trial(view, form)
    answer = printed(command(view.job, "", "predict", report_asked(view.case.selection.endpoint, form)[1]), capsys)
    assert answer["report"]["observed"] == number
    assert f"{answer['prediction']['two_sided']:.2g}" in page
    assert page.count("<rect") == len(answer["distribution"]) + 1


def test_the_plan_is_that_of_design(shipped, capsys):
    job, form = first_job(shipped), {"n": ["30"], "threshold": ["0.7"], "confidence": ["0.9"], "look": ["10"]}
    page = views.design(shipped, job, "", form)
    answer = printed(command(job, "", "design", plan_asked(form)[1]), capsys)
    assert answer["prior"]["r"] in page and f"needs {answer['size_for_assurance']} patients" in page
    assert "take weibull" in or_why(views.design)(shipped, asked(shipped, {"endpoint": ["os"]}), "", form)


def test_exceedance_is_that_of_the_distribution(shipped):
    view = view_of(shipped, first_job(shipped), "")
    median = view.pooled[0].median
    page = views.exceedance(view, {"threshold": [f"{median}"]})
    assert "Your threshold" in page and ">0.50<" in page
    assert "Salvage chemotherapy" in page


def test_published_numbers_stand_beside_the_same_quantity_only(shipped):
    def published(**form):
        return view_of(shipped, asked(shipped, {"endpoint": ["os"]} | form), "").published

    assert published().estimate == 0.57
    assert published(horizon=["24"]) is None
    assert published(subset=["cd19_only"]) is None or published(subset=["cd19_only"]).subset == "cd19_only"


def test_what_the_evidence_does_not_know_falls_back(shipped):
    form = {"endpoint": ["../x"], "model": ["weibull"], "set": ["none"], "subset": [HOSTILE], "listed": ["nobody"],
            "beta_binomial.mu": [""], "horizon": ["9"]}
    assert asked(shipped, form) == first_job(shipped)
    with pytest.raises(UsageError, match="horizon: nan is no number"):
        asked(shipped, {"endpoint": ["os"], "horizon": ["nan"]})
    job = asked(shipped, {"endpoint": ["cr"], "beta_binomial.mu": ["exec()"]})
    assert "is no prior" in or_why(view_of)(shipped, job, "")


def test_a_study_that_does_not_count_says_why(shipped):
    listed = studies_on_offer(shipped, Question("cr"), all_models()["beta_binomial"])
    reasons = {study.study_id: study.reason for study in listed}
    assert [study.tier for study in listed] == sorted(study.tier for study in listed)
    assert all(study.reason == "not in the review set" for study in listed if study.later)
    assert reasons["park_2018"] == "" and "tier C" in reasons.values()


def test_nobody_left_is_said_and_no_defect(shipped):
    names = [study.study_id for study in shipped.studies]
    assert "no study with cr" in or_why(view_of)(shipped, asked(shipped, {"endpoint": ["cr"], "listed": names}), "")


def test_an_error_of_the_program_is_told_as_one(capsys):
    answer = or_why(lambda: 1 / 0)()
    assert isinstance(answer, Refused) and "error of the program" in answer
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_hostile_labels_are_words_on_the_page_and_in_its_files(tmp_path):
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    evidence = load(write_files(tmp_path, MINIMAL | {
        "studies.csv": f"study_id,label\nalpha_2019,{quoted}\nbeta_2021,=cmd()\n",
        "endpoints.csv": f"endpoint,label,kind,direction\ncr,{quoted},rate,benefit\n"}))
    view = view_of(evidence, first_job(evidence), "a b;c")
    fit = files.results_of(evidence, view.job)
    for page in (views.result(view), files.details(fit), views.trial(view, {"events": ["1"], "n": ["2"]})):
        assert "<img" not in page
    assert "&lt;img" in views.result(view) and "--data &#39;a b;c&#39;" in views.result(view)
    assert "'=cmd()" in files.table_text(fit, files.TABLES["studies"])
    assert files.table_text(fit, ESTIMATES).startswith("endpoint,model")
    assert files.figure(fit, view, "png").startswith(b"\x89PNG") and b"<svg" in files.figure(fit, view, "svg")


def test_a_fit_of_other_evidence_is_not_shown(tmp_path):
    evidence, other = (load(write_files(tmp_path / name, MINIMAL)) for name in ("one", "other"))
    job = first_job(evidence)
    fitted = files.results_of(evidence, job)
    fitted = replace(fitted, records=(replace(fitted.records[0], conflicts=("a prior fights the data",)),))
    pages = [views.result(view_of(one, job, ""), fitted) for one in (evidence, other)]
    assert ["a prior fights the data" in page for page in pages] == [True, False]


def test_of_events_over_person_time_rates_alone_are_told(tmp_path):
    evidence = load(write_files(tmp_path, {
        "studies.csv": MINIMAL["studies.csv"],
        "endpoints.csv": "endpoint,label,kind,direction\ninfection,Infection,survival,harm\n",
        "survival.csv": "study_id,endpoint,events,person_months,n\nalpha_2019,infection,3,120,10\n"
                        "beta_2021,infection,9,200,20\n"}))
    page = files.details(files.results_of(evidence, first_job(evidence)))
    # A rate per person-years is no survival, and the mean over studies of the one does not follow from the other's.
    assert "Hazard of the typical study" in page and "urvival" not in page.partition("Rows that are not used")[0]
