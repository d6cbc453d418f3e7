"""Patients one by one: what is read, what is refused, what gives way, and closed forms and a search that agree."""

from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

from analysis.cases.case import case_of
from analysis.cases.curves import PATIENTS, kaplan_meier, points_of
from analysis.cases.selection import select
from analysis.cases.settings import Job, Question
from analysis.chapters.curves.rows import CURVES, curve_rows
from analysis.commands import check
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError
from analysis.inference.posterior import posterior_of
from analysis.inference.prediction import outcome
from models import all_models
from models.backend import NUMBERS
from models.curves import data, likelihood

HEADER = "study_id,endpoint,months,status\n"
SURVIVAL = ("study_id,endpoint,cut,statistic,time_months,estimate,ci_low,ci_high,upper_not_reached,n\n"
            "a,os,primary,landmark,12,0.40,,,false,40\na,os,primary,median,,9.0,6.0,14.0,false,40\n"
            "a,os,later,landmark,24,0.3,,,false,40\nb,os,primary,landmark,12,0.5,,,false,30\n")


def written(folder: Path, patients: str, survival: str = SURVIVAL) -> Path:
    (folder / "studies.csv").write_text("study_id,label,year,n_treated\na,Ash,2020,40\nb,Birch,2021,30\n")
    (folder / "endpoints.csv").write_text("endpoint,label,kind,direction\nos,Survival,survival,benefit\n"
                                          "cr,Remission,rate,benefit\n")
    (folder / "patients.csv").write_text(patients)
    if survival:
        (folder / "survival.csv").write_text(survival)
    return folder


def simulated(count: int = 40, shape: float = 0.6) -> list[tuple[float, bool]]:
    """Times of a falling hazard, survival of 0.4 at 12 months, seen for 6 to 36 months."""
    rng = np.random.default_rng(5)
    event = 12.0 * (rng.exponential(size=count) / -np.log(0.4)) ** (1.0 / shape)
    seen = rng.uniform(6.0, 36.0, count)
    return [(max(round(min(one, other), 2), 0.02), bool(one <= other)) for one, other in
            zip(event, seen, strict=True)]


def rows(patients: list[tuple[float, bool]]) -> str:
    return HEADER + "".join(f"a,os,{months},{'event' if died else 'censored'}\n" for months, died in patients)


def test_patients_win_over_what_is_printed_of_their_cut(tmp_path):
    patients = simulated()
    evidence = load(written(tmp_path, rows(patients)))
    selection = select(evidence, Question("os"))
    assert selection.study_ids == ("b", "a") and {row.study_id: bool(row.patients) for row in selection.curves} == {
        "a": True, "b": False}
    told = {(item.table, item.row): item.reason for item in selection.left_out if item.study_id == "a"}
    assert set(told) == {("survival.csv", 2), ("survival.csv", 3), ("survival.csv", 4)}
    assert ["one by one (patients.csv)" in told["survival.csv", row] for row in (2, 3, 4)] == [True, True, False]
    notes = [str(note) for note in evidence.notes if "patients.csv, from row 2" in str(note)]
    assert [note.partition(" (")[0] for note in notes] == ["survival.csv row 2", "survival.csv row 3"]
    # Of another cut than all that is printed, they wait for their turn like later data do.
    later = load(written(tmp_path, rows(patients).replace("status\n", "status,cut\n").replace(
        "event\n", "event,later\n").replace("censored\n", "censored,later\n")))
    assert not any(row.patients for row in select(later, Question("os")).curves)


@pytest.mark.parametrize(("line", "said"), [
    ("a,os,-3,event", "patients.csv row 3 (a, os): months = -3 is negative. Give months above 0"),
    ("a,os,0,censored", "months = 0 is not above 0"), ("a,os,NA,event", "months = NA is placeholder text"),
    ("a,os,4,dead", "status = dead is not one of event, censored. Write event or censored."),
    ("a,os,4,", "status is empty"), ("z,os,4,event", "study_id = z is not in studies.csv"),
    ("a,cr,4,event", "endpoint = cr is a rate endpoint. Move the row to responses.csv"),
])
def test_what_is_wrong_with_a_patient_is_said(tmp_path, line, said):
    with pytest.raises(EvidenceError) as error:
        load(written(tmp_path, HEADER + f"a,os,5,event\n{line}\n"))
    assert said in str(error.value) and len(error.value.problems) == 1


def test_patients_of_one_cut_have_one_base(tmp_path):
    text = "study_id,endpoint,months,status,population\na,os,5,event,all_treated\na,os,6,event,responders\n"
    with pytest.raises(EvidenceError, match="population = responders differs from row 2 of the same endpoint and cut"):
        load(written(tmp_path, text))


def test_check_counts_them_and_needs_no_printed_survival(tmp_path, capsys):
    folder = written(tmp_path, rows(simulated()), survival="")
    assert check.run(type("Options", (), {"data": folder, "json": False})()) == 0
    assert "40 patients" in capsys.readouterr().out


def test_a_constant_hazard_is_events_over_person_time(tmp_path):
    patients = simulated()
    evidence = load(written(tmp_path, rows(patients), survival=""))
    conversion, = case_of(evidence, Job(Question("os"))).conversions
    events, months = sum(died for _, died in patients), sum(time for time, _ in patients)
    assert (conversion.events, conversion.person_months) == (events, pytest.approx(months))
    assert "patient by patient" in conversion.statistic
    each = likelihood(data(case_of(evidence, Job(Question("os"), model="exponential")).studies), None, None, on=NUMBERS)
    best = np.log(12.0 * events / months)
    assert each.slope(np.array([best]))[0] == pytest.approx(0.0, abs=1e-9)
    assert each.value(np.array([best]))[0] == pytest.approx(events * np.log(events / months) - events, rel=1e-12)


@pytest.mark.parametrize("name", ["weibull", "mixture_cure"])
def test_the_likelihood_of_patients_is_that_of_their_times(tmp_path, name):
    """Its maximum over the effect and what is shared is that of a search that knows densities and survival only."""
    patients = simulated()
    studies = case_of(load(written(tmp_path, rows(patients), survival="")), Job(Question("os"), model=name)).studies

    def at(theta: float, more: float) -> float:
        total = 0.0
        for months, died in patients:
            if name == "weibull":
                scaled = (months / 12.0) ** more
                total += died * np.log(np.exp(theta) * more / 12.0 * (months / 12.0) ** (more - 1.0))
                total -= np.exp(theta) * scaled
            else:
                alive = more + (1.0 - more) * np.exp(-np.exp(theta) * months / 12.0)
                total += np.log((1.0 - more) * np.exp(theta) / 12.0 * np.exp(-np.exp(theta) * months / 12.0)
                                if died else alive)
        return total

    def ours(theta: float, more: float) -> float:
        shared = (None, np.float64(more)) if name == "weibull" else (np.float64(more), None)
        return float(likelihood(data(studies), *shared, on=NUMBERS).value(np.array([theta]))[0])

    for theta, more in ((-0.4, 0.5), (0.3, 0.8), (0.0, 0.2)):
        assert ours(theta, more) == pytest.approx(at(theta, more), rel=1e-12)
    found, wanted = (optimize.minimize(lambda x, of=of: -of(x[0], 1 / (1 + np.exp(-x[1]))), (0.0, 0.0),
                                       method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10}).x
                     for of in (ours, at))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["weibull", "mixture_cure", "exponential"])
def test_plain_model_and_density_agree(tmp_path, name):
    """With every effect at its place, the plain model's likelihood is the density's, study by study added up."""
    model = all_models()[name]
    studies = case_of(load(written(tmp_path, rows(simulated()))), Job(Question("os"), model=name)).studies
    graph = model.build(studies, model.priors)
    point, values = graph.initial_point(), dict(zip(model.priors, (-0.2, 0.3, 0.35), strict=False))
    free = {"real": lambda x: x, "positive": np.log, "unit": lambda x: np.log(x / (1 - x))}
    for key, value in values.items():
        inside = next(place for place in point if place == key or place.startswith(f"{key}_"))
        point[inside] = np.array(free[model.supports[key]](value))
    point["z"] = np.array([0.4, -0.7])
    names = [graph[key] for key in (*model.priors, "z")]
    told = float(graph.compile_logp()(point)) - float(graph.compile_logp(vars=names)(point))
    shared = tuple(np.float64(values[key]) if key in values else None for key in ("cured", "shape"))
    each = likelihood(data(studies), *shared, on=NUMBERS)
    theta = values["eta12"] + values["tau"] * point["z"]
    assert told == pytest.approx(float(each.value(theta).sum()), rel=1e-9)
    for at in theta:
        step = 1e-5
        rise = (each.value(at + step) - each.value(at - step)) / (2 * step)
        np.testing.assert_allclose(each.slope(np.full(2, at)), rise, rtol=1e-5, atol=1e-6)
        bend = (each.slope(np.full(2, at + step)) - each.slope(np.full(2, at - step))) / (2 * step)
        if name != "mixture_cure":  # where it is bounded from above
            np.testing.assert_allclose(each.curvature(np.full(2, at)), -bend, rtol=1e-4, atol=1e-5)


def test_the_posterior_finds_the_shape_of_many_patients(tmp_path):
    evidence = load(written(tmp_path, rows(simulated(400)), survival=""))
    posterior = posterior_of(case_of(evidence, Job(Question("os"), model="weibull")))
    assert posterior.summary("shape").median == pytest.approx(0.6, abs=0.08)


def test_their_curve_is_shown_and_compared(tmp_path):
    evidence = load(written(tmp_path, rows(simulated())))
    selection = select(evidence, Question("os"))
    shown = [point for point in points_of(selection.curves) if point.study_id == "a"]
    assert [point.months for point in shown] == [3.0, 6.0, 12.0, 24.0] and {point.source for point in shown} == {
        PATIENTS}
    died, seen = np.array([2.0, 2.0, 5.0]), np.array([3.0, 8.0])
    survival, patients = kaplan_meier(died, seen, 6.0)
    assert survival == pytest.approx(3 / 5 * 1 / 2)
    assert survival * (1 - survival) / patients == pytest.approx(survival**2 * (2 / (5 * 3) + 1 / (2 * 1)))
    case = case_of(evidence, Job(Question("os"), model="weibull"))
    at_twelve = next(point.survival for point in shown if point.months == 12.0)
    assert outcome(case.studies)[1][list(case.studies.study_ids).index("a")] == pytest.approx(at_twelve)
    assert {row["status"] for row in curve_rows(evidence, Job(Question("os")), "os", "all")[CURVES.file]} == {
        "computed"}
