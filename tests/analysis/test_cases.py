"""A case is resolved once, its posterior solved once, and a report samples what its answer rests on."""

from dataclasses import replace

import pytest

from analysis.cases.case import NoStudies, case_of, headline_case
from analysis.cases.selection import candidates
from analysis.cases.settings import EXACT, NUTS, Job, Question
from analysis.evidence.loading import load
from analysis.inference import fitting, posterior
from analysis.inference.grid import QuadratureFailed
from analysis.results.comparison import compared_questions
from analysis.runs.plan import plan
from models import all_models
from models.priors import Prior
from tests.data.tables import FOLDER

JOB = Job(Question("cr"), engine=EXACT)


@pytest.fixture(scope="module")
def shipped():
    return load(FOLDER)


@pytest.fixture
def solved(monkeypatch):
    """Counts what is solved, with nothing known before."""
    calls = []
    real = posterior.solve
    monkeypatch.setattr(posterior, "_solved", type(posterior._solved)())

    def counted(density, **options):
        calls.append(density)
        return real(density, **options)

    monkeypatch.setattr(posterior, "solve", counted)
    return calls


def test_cases_of_the_same_content_share_one_solution(shipped, solved):
    case = case_of(shipped, JOB)
    other_level = replace(case, job=replace(case.job, level=0.5))
    same = case_of(shipped, replace(JOB, question=Question("cr", tiers="AB", study_set="review")))
    narrow, wide = (posterior.posterior_of(known).summary("mean_rate") for known in (other_level, case))
    posterior.posterior_of(same)
    assert len(solved) == 1 and narrow.median == wide.median and narrow.lower > wide.lower


def test_another_prior_model_or_study_is_another_posterior(shipped, solved):
    case = case_of(shipped, JOB)
    others = [case.but(priors={**case.priors, "rho": Prior("Beta", (1.0, 10.0))}),
              case.but(model=all_models()["logit_normal"]), case.take(case.studies.study_ids[1:])]
    assert len({known.key for known in (case, *others)}) == 4
    medians = {posterior.posterior_of(known).summary("mean_rate").median for known in (case, *others[:1], *others[2:])}
    assert len(solved) == len(medians) == 3


def test_a_case_with_some_studies_has_only_their_rows_and_conversions(shipped):
    case = case_of(shipped, replace(JOB, question=Question("os")))
    kept = case.studies.study_ids[1::2]
    fewer = case.take(kept)
    assert fewer.studies.study_ids == kept == fewer.selection.study_ids
    assert tuple(conversion.study_id for conversion in fewer.conversions) == kept
    assert list(fewer.studies.log_hazard) == list(case.studies.log_hazard[1::2])


def test_a_failure_is_remembered_like_a_solution(shipped, monkeypatch):
    case, calls = case_of(shipped, JOB), []

    def fails(density, **options):
        calls.append(density)
        raise QuadratureFailed("did not settle")

    monkeypatch.setattr(posterior, "_solved", type(posterior._solved)())
    monkeypatch.setattr(posterior, "solve", fails)
    for _ in range(2):
        with pytest.raises(QuadratureFailed, match="did not settle"):
            posterior.posterior_of(case)
    assert len(calls) == 1


@pytest.mark.parametrize("fallback", [False, True])
def test_chains_stand_in_only_where_a_job_allows_it(shipped, monkeypatch, fallback):
    def fails(case):
        raise QuadratureFailed("did not settle")

    class Sampled(Exception):
        pass

    def sampled(*arguments):
        raise Sampled

    monkeypatch.setattr(fitting, "posterior_of", fails)
    monkeypatch.setattr(fitting, "_sampled", sampled)
    with pytest.raises(Sampled if fallback else QuadratureFailed):
        fitting.run(case_of(shipped, replace(JOB, fallback=fallback)))


def test_a_case_without_studies_is_no_fit(shipped):
    case = headline_case(shipped, replace(JOB, question=Question("", tiers="")), "relapse")
    assert not len(case.studies)
    with pytest.raises(NoStudies, match="no study with relapse"):
        fitting.run(case)


def test_a_report_samples_its_answer_and_a_few_others(shipped):
    """The headline of every endpoint and compared subset; of the headline models' others the largest and smallest."""
    jobs = plan(shipped, Job(Question("")))
    headline = {"rate": "beta_binomial", "survival": "log_hazard"}
    answer = {Question(endpoint.endpoint) for endpoint in shipped.endpoints} | {
        Question(endpoint, subset) for endpoint, subset in compared_questions(shipped) if endpoint}
    rests_on = [job for job in jobs if job.question in answer
                and job.model == headline[shipped.endpoint(job.question.endpoint).kind]]
    assert len(rests_on) == len(answer) and {job.engine for job in rests_on} == {NUTS}
    beside = [job for job in jobs if job not in rests_on]
    assert all(job.fallback for job in beside if job.engine == EXACT)
    for model in all_models():
        sizes = {job: len(candidates(shipped, job.question).study_ids) for job in beside if job.model == model}
        checked = sorted(sizes[job] for job in sizes if job.engine == NUTS)
        ends = [min(filter(None, sizes.values())), max(sizes.values())] if model in headline.values() else []
        assert checked == ends, model
