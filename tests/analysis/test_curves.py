"""What studies print as points of their curves: limits of medians, strata, what was not reached, contradictions."""

import math
from pathlib import Path

import numpy as np
import pytest

from analysis.cases.case import case_of, headline_case
from analysis.cases.curves import (
    CENSORING,
    LANDMARK,
    LOWER,
    MEDIAN,
    UPPER,
    contradicted_points,
    curve_studies,
    points_of,
)
from analysis.cases.reports import new_report
from analysis.cases.selection import select
from analysis.cases.settings import Job, Question
from analysis.evidence.loading import load
from analysis.inference.posterior import posterior_of

HEADER = ("study_id,endpoint,stratum,cut,statistic,time_months,estimate,ci_low,ci_high,ci_level,upper_not_reached,n,"
          "events,person_months\n")


OS = Question("os")


def rows_of(folder: Path, text: str, question: Question = OS):
    names = dict.fromkeys(line.split(",")[0] for line in text.splitlines())
    (folder / "studies.csv").write_text("study_id,label,year\n" + "".join(f"{name},{name},2020\n" for name in names))
    (folder / "endpoints.csv").write_text("endpoint,label,kind,direction\nos,Survival,survival,benefit\n")
    (folder / "survival.csv").write_text(HEADER + text)
    return load(folder), select(load(folder), question)


def test_limits_of_a_median_are_where_the_band_crosses_a_half(tmp_path):
    _, selection = rows_of(tmp_path, "a,os,,,median,,6.1,5.0,11.5,0.95,false,53,,\n")
    low, middle, high = points_of(selection.curves)
    assert [(point.months, point.source) for point in (low, middle, high)] == [
        (5.0, LOWER), (6.1, MEDIAN), (11.5, UPPER)]
    z = 1.959963984540054
    for point, sign in ((low, -1), (high, 1)):
        error = CENSORING * math.sqrt(point.survival * (1 - point.survival) / 53)
        assert point.survival + sign * z * error == pytest.approx(0.5, abs=1e-12)
    studies = curve_studies(selection.curves)
    total = 53 / CENSORING**2
    np.testing.assert_allclose(studies.counts[0], total * np.diff([0, 1 - low.survival, 0.5, 1 - high.survival]))
    assert studies.survivors[0, 0] == pytest.approx(total * high.survival) and studies.seen[0, 0] == 11.5


@pytest.mark.parametrize(("limits", "sources"), [
    ("7.74,18.08,0.95,false", [MEDIAN]),  # exactly symmetric about 12.91: a standard error, no crossing
    ("7.74,,0.95,true", [LOWER, MEDIAN]), ("0,18.1,0.95,false", [MEDIAN, UPPER]), (",,,false", [MEDIAN])])
def test_which_limits_are_points(tmp_path, limits, sources):
    _, selection = rows_of(tmp_path, f"a,os,,,median,,12.91,{limits},20,,\n")
    assert [point.source for point in points_of(selection.curves)] == sources


def test_points_of_one_cut_that_are_near_or_contradict_give_way(tmp_path):
    text = ("a,os,,primary,landmark,12,0.61,,,,false,127,,\na,os,,primary,median,,12.5,10,,0.95,true,127,,\n"
            "a,os,,primary,landmark,6,0.5,,,,false,127,,\na,os,,later,landmark,24,0.46,,,,false,127,,\n")
    _, selection = rows_of(tmp_path, text)
    points = points_of(selection.curves)
    # The median is half a month from a landmark, and a survival of 0.5 at 6 months contradicts the first 0.61 at 12.
    assert [(point.months, point.source) for point in points] == [(10.0, LOWER), (12.0, LANDMARK)] \
        or [(point.months, point.source) for point in points] == [(12.0, LANDMARK)]
    assert all(first.survival >= second.survival for first, second in zip(points, points[1:], strict=False))
    (note,) = contradicted_points(selection.curves)
    assert note == ("a: survival of 50 % at 6 months contradicts survival of 61 % at 12 months; "
                    "its curve has no point there")


def test_strata_are_mixed_and_not_counted_twice(tmp_path):
    text = "a,os,good,,median,,20,,,,false,45,,\na,os,bad,,median,,5,,,,false,8,,\n"
    evidence, selection = rows_of(tmp_path, text)
    studies = curve_studies(selection.curves)
    np.testing.assert_allclose(studies.strata[0], [[45 / 53, 20, 0.5], [8 / 53, 5, 0.5]])
    assert studies.mixed[0] == pytest.approx(53 / CENSORING**2) and not studies.counts.any()
    survival = posterior_of(case_of(evidence, Job(Question("os"), model="exponential"))).summary("survival")
    mixed = 45 / 53 * 0.5 ** (12 / 20) + 8 / 53 * 0.5 ** (12 / 5)
    assert survival.median == pytest.approx(mixed, abs=0.05)


OTHERS = "b,os,,,landmark,12,0.6,,,,false,40,,\nc,os,,,landmark,12,0.5,,,,false,40,,\n"


def median_with(folder: Path, text: str, question: Question = OS) -> float:
    """Survival of the typical study under a constant hazard, with these rows of study a beside two others."""
    evidence, _ = rows_of(folder, text + OTHERS)
    return posterior_of(case_of(evidence, Job(question, model="exponential"))).summary("survival").median


@pytest.mark.parametrize("rows", ["a,os,,,landmark,12,0.9,,,,false,50,,\na,os,,,,,,,,,false,50,5,560\n",
                                  "a,os,,,landmark,12,0.9,,,,false,50,5,560\n"], ids=["two rows", "one row"])
def test_patients_with_a_point_and_person_time_are_counted_once(tmp_path, rows):
    evidence, _ = rows_of(tmp_path, rows + OTHERS)
    left_out = case_of(evidence, Job(OS, model="exponential")).selection.left_out
    assert [item.reason for item in left_out] == ["points of the curve of this study are used"] * (rows.count("\n") - 1)
    assert median_with(tmp_path, rows) == median_with(tmp_path, "a,os,,,landmark,12,0.9,,,,false,50,,\n")


@pytest.mark.parametrize("bound", ["a,os,,,median,,,,,,true,50,5,560\n",
                                   "a,os,,,median,20,,,,,true,50,,\na,os,,,,,,,,,false,50,5,560\n"])
def test_person_time_beside_a_median_that_was_not_reached_is_all_that_counts(tmp_path, bound):
    assert median_with(tmp_path, bound) == median_with(tmp_path, "a,os,,,,,,,,,false,50,5,560\n")


def test_strata_of_events_over_person_time_enter(tmp_path):
    """All of them add up; one beside a stratum with a point is exp(-events / n) at the mean follow-up."""
    whole = median_with(tmp_path, "a,os,,,,,,,,,false,50,5,500\n")
    assert median_with(tmp_path, "a,os,x,,,,,,,,false,30,3,300\na,os,y,,,,,,,,false,20,2,200\n") == whole
    point = "a,os,x,,landmark,12,0.9,,,,false,30,,\n"
    survival = math.exp(-15 / 20)
    assert median_with(tmp_path, point + "a,os,y,,,,,,,,false,20,15,100\n") == pytest.approx(
        median_with(tmp_path, point + f"a,os,y,,landmark,5,{survival!r},,,,false,20,,\n"), abs=1e-12)


@pytest.mark.parametrize("model", ["log_hazard", "weibull"])
def test_a_further_report_is_no_stratum_of_a_study_that_is_called_new(tmp_path, model):
    evidence, _ = rows_of(tmp_path, OTHERS.replace("b,", "new_study,"))
    case = case_of(evidence, Job(OS, model=model))
    assert len(case.adding(new_report("os", "survival", n=20, landmark=12.0, survival=0.7)).studies) == 3


def test_a_stratum_whose_median_was_not_reached_makes_no_curve(tmp_path):
    """A study of which no row says anything would be integrated over nothing."""
    rows = "a,os,x,,landmark,12,0.9,,,,false,30,,\na,os,y,,median,20,,,,,true,20,,\n"
    assert median_with(tmp_path, rows) == median_with(tmp_path, "")


def test_the_landmark_of_a_stratum_is_the_one_nearest_the_horizon(tmp_path):
    late = "a,os,x,,landmark,24,0.7,,,,false,30,,\na,os,y,,landmark,24,0.3,,,,false,20,,\n"
    early = "a,os,x,,landmark,12,0.9,,,,false,30,,\na,os,y,,landmark,12,0.8,,,,false,20,,\n"
    for horizon, used in ((24.0, late), (12.0, early)):
        question = Question("os", horizon=horizon)
        assert median_with(tmp_path, early + late, question) == median_with(tmp_path, used, question)


def test_a_median_that_was_not_reached_bounds_survival(tmp_path):
    others = "b,os,,,landmark,12,0.4,,,,false,40,,\nc,os,,,landmark,12,0.5,,,,false,40,,\n"
    evidence, selection = rows_of(tmp_path, "a,os,,,median,18,,,,,true,60,,\n" + others)
    studies = curve_studies(selection.curves)
    assert selection.study_ids == ("b", "c") and studies.study_ids == ("a", "b", "c")
    assert studies.bound_months[0] == 18 and studies.bound_error[0] == pytest.approx(
        CENSORING / math.log(2) / math.sqrt(60))
    with_it = posterior_of(case_of(evidence, Job(Question("os"), model="exponential"))).summary("survival")
    without = posterior_of(case_of(evidence, Job(Question("os", without=("a",)), model="exponential")))
    assert with_it.median > without.summary("survival").median + 0.02


@pytest.mark.parametrize(("rows", "headline", "of_curves"), [
    ("b,os,,,landmark,12,0.6,0.4,0.75,0.95,false,40,,\nc,os,,,median,,14,8,,0.95,true,25,,\n",
     ["two studies: the heterogeneity is prior-dominated"], []),
    ("b,os,,,median,12,,,,,true,40,,\n", [], ["two studies: the heterogeneity is prior-dominated"]),
    ("", [], ["one study: nothing is pooled, and the heterogeneity is the prior's"])])
def test_warnings_count_the_studies_of_the_model(tmp_path, rows, headline, of_curves):
    evidence, _ = rows_of(tmp_path, "a,os,,,median,24,,,,,true,30,,\n" + rows)
    for model, wanted in (("log_hazard", headline), ("weibull", of_curves)):
        assert list(case_of(evidence, Job(OS, model=model)).selection.warnings) == wanted


def test_events_with_person_months_are_what_log_hazard_makes_of_them(tmp_path):
    text = "a,os,,,,,,,,,false,50,20,600\nb,os,,,,,,,,,false,40,18,500\nc,os,,,,,,,,,false,30,9,400\n"
    evidence, _ = rows_of(tmp_path, text)
    priors = (("eta", "Normal(-2.8514, 1)"),)
    medians = [posterior_of(case_of(evidence, Job(Question("os"), model=name, priors=given))).summary("survival").median
               for name, given in (("log_hazard", priors), ("exponential", ()))]
    assert medians[0] == pytest.approx(medians[1], abs=2e-4)


@pytest.mark.parametrize(("endpoint", "model", "wanted"), [
    ("pfs", "exponential", (0.388, 0.300, 0.476)), ("os", "exponential", (0.606, 0.508, 0.680)),
    ("os", "weibull", (0.586, 0.501, 0.663))])
def test_the_shipped_evidence_gives_what_a_separate_calculation_gives(shipped, endpoint, model, wanted):
    """Survival at 12 months by counts of n/1.25^2 between points; right to its printed digits."""
    case = headline_case(shipped, Job(Question("")), endpoint)
    case = case_of(shipped, Job(case.question, model=model))
    summary = posterior_of(case).summary("survival")
    assert (summary.median, summary.lower, summary.upper) == pytest.approx(wanted, abs=0.004)


def test_strata_favour_no_shape_by_themselves(shipped):
    """A mixture is data that hang on the shape: its entropy is subtracted, else a rarer outcome would be a better fit.

    A separate calculation without that gives k = 0.738 for PFS; without the study in strata it is 0.70, with ours 0.69.
    """
    shapes = [posterior_of(case_of(shipped, Job(Question("pfs", without=left), model="weibull"))).summary("shape").mean
              for left in ((), ("hay_2019",))]
    assert shapes[0] == pytest.approx(0.692, abs=0.005) and shapes[1] == pytest.approx(0.705, abs=0.005)


def test_later_studies_join_with_every_point_of_their_data_cut(shipped):
    """FELIX and others by --set all: landmarks, medians and limits of one cut; what does not enter is named as such."""
    for endpoint, wanted in (
            ("pfs", {("roddie_2024", 6.0): LANDMARK, ("roddie_2024", 8.0): LOWER, ("roddie_2024", 12.0): LANDMARK,
                     ("roddie_2024", 22.1): UPPER, ("roddie_2021", 6.0): LANDMARK, ("roddie_2021", 12.0): LANDMARK}),
            ("os", {("roddie_2024", 6.0): LANDMARK, ("roddie_2024", 12.0): LANDMARK, ("roddie_2024", 15.6): MEDIAN,
                    ("roddie_2021", 12.0): LANDMARK, ("wang_y_2025", 24.0): LANDMARK})):
        selection = case_of(shipped, Job(Question(endpoint, study_set="all"), model="weibull")).selection
        later = {study.study_id for study in shipped.studies if study.in_review is False}
        points = [point for point in points_of(selection.curves) if point.study_id in later]
        assert {(point.study_id, point.months): point.source for point in points} == wanted
        entered = {row.row for row in selection.curves}
        assert not entered & {item.row for item in selection.left_out}
        assert {item.reason for item in selection.left_out if item.study_id == "roddie_2024"} == {
            "another data cut of this study is used"}


def test_a_case_without_studies_is_a_case_of_curves_too(shipped):
    everybody = tuple(study.study_id for study in shipped.studies)
    case = case_of(shipped, Job(Question("os", without=everybody), model="weibull"))
    assert (len(case.studies), case.selection.curves) == (0, ())


def test_a_median_that_half_of_the_cured_shares_never_reach(tmp_path):
    """Each point of a dense grid of all three hyperparameters has one median; its weight is the model's likelihood."""
    evidence, _ = rows_of(tmp_path, "a,os,,,landmark,12,0.6,,,,false,40,,\na,os,,,landmark,24,0.52,,,,false,40,,\n"
                          "b,os,,,landmark,24,0.55,,,,false,40,,\nc,os,,,landmark,36,0.5,,,,false,40,,\n")
    posterior = posterior_of(case_of(evidence, Job(OS, model="mixture_cure")))
    case, density = posterior.case, posterior.case.model.density
    # Midpoints: a cured share of a half is a border of cells.
    points = np.meshgrid(np.linspace(-3.0, 3.0, 60), (np.arange(24) + 0.5) / 12.0, (np.arange(240) + 0.5) / 240)
    draws = dict(zip(("eta12", "tau", "cured"), map(np.ravel, points), strict=True))
    log = density.log_likelihood(draws, case.studies).sum(axis=1) + sum(
        case.priors[name].log_density_at(values) for name, values in draws.items())
    weights = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    months = density.curve.months_at(draws, draws["eta12"], 0.5)
    (law,) = (item.distribution for item in posterior.pooled if item.name == "median_months")
    for limit in (12.0, 24.0, 50.0, 200.0, 11_000.0):
        # Cells of the share that the limit cuts, 1/240 wide, hold up to 0.03 each, of which most cancels.
        assert float(law.cdf(limit)) == pytest.approx(float(weights[months <= limit].sum()), abs=0.003), limit
    assert law.quantile(0.99) == pytest.approx(12_000.0) and law.quantile(0.1) < 30.0
