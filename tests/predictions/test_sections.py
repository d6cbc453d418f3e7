"""What the two sections say about their tables; labels of the evidence stay text on the page and in the figures."""

import pytest

from analysis.chapters import checks, validation
from analysis.chapters.chapter import Page as Around
from analysis.chapters.checks.rows import CHECK_STATISTICS, CHECKS
from analysis.chapters.validation.rows import SCORES, VALIDATION, score_rows, validation_rows
from analysis.drawing.html import Html
from analysis.drawing.saving import save_figure
from tests.figures.reading import shown
from tests.influence.cases import COUNTS
from tests.report.reading import Page
from tests.reporting import results_of, with_tables

from .cases import CR, checks_of, evidence_of, statistics_of
from .test_validation import LIKE, UNLIKE

AROUND = Around({name: Html("<p>PICTURE</p>") for name in ("checks", "validation")}, None, None)
NASTY = "<script>x</script>\u202e $x^$ {}"


def results_with(evidence):
    made = validation_rows(evidence, CR, "cr")
    results = with_tables(results_of(evidence), {
        CHECKS.file: checks_of(evidence, CR), CHECK_STATISTICS.file: statistics_of(evidence, CR), **made})
    return with_tables(results, score_rows(results))


def text_of(chapter, results):
    page = Page(chapter.CHAPTER.section(results, AROUND))
    assert not page.unbalanced and "PICTURE" in page.text
    return page.text


def test_what_does_not_transfer_is_named_with_its_chance(tmp_path):
    results = results_with(evidence_of(tmp_path, UNLIKE))
    text, rows, (score,) = text_of(validation, results), results.rows(VALIDATION.file), results.rows(SCORES.file)
    assert "except for Complete remission: of 3 reports from 3 later studies on 1 endpoint 2 are surprising" in text
    assert f"by chance about {sum(row['chance_named'] for row in rows):.2f} would be" in text
    assert "Complete remission does not transfer to the later studies: 2 of 3 reports are surprising, lower" in text
    assert f"so many or more would have a probability of {score['as_many']:.2g}" in text or score["as_many"] < 0.001
    assert "Study p, 12/40 (30 %), predicted" in text and "of survival" not in text
    assert score["predictions"] == 3 and score["named"] == 2


def test_the_note_of_the_figure_says_what_a_red_diamond_is(tmp_path):
    (picture,) = validation.CHAPTER.figures(results_with(evidence_of(tmp_path, UNLIKE)))
    words = " ".join(shown(picture.draw(**picture.content)).split())
    assert "Red diamonds: p below 0.05 by the headline model, which is also possible at the very end" in words


def test_so_many_surprises_that_no_draw_has_them_are_beyond_chance(tmp_path):
    results = results_with(evidence_of(tmp_path, UNLIKE))
    (score,) = results.rows(SCORES.file)
    text = text_of(validation, with_tables(results, {SCORES.file: [{**score, "as_many": 0.0}]}))
    assert "Complete remission does not transfer" in text and "would have a probability of <0.001" in text


def test_where_chance_explains_it_the_page_says_so(tmp_path):
    results = results_with(evidence_of(tmp_path, LIKE, cells={"r": "retrospective,,A"}))
    text = text_of(validation, results)
    assert "Predicted, but not counted (the study is retrospective): Study r (Complete remission, " \
           f"{LIKE['r'][0]}/{LIKE['r'][1]})." in text
    assert "are what the review's studies predict: of 2 reports from 2 later studies on 1 endpoint 0 are" in text


def test_the_verdict_of_the_brief_follows_from_the_number_of_surprises(tmp_path):
    """Of three later reports UNLIKE has two that surprise, too many for chance, and LIKE none."""
    for changes, words in ((UNLIKE, "Mostly not: 1 of 3 reports from 3 later studies are"), (LIKE, "Yes: 3 of 3")):
        assert words in Page(validation.CHAPTER.brief(results_with(evidence_of(tmp_path / words[:3], changes)),
                                                      AROUND)).text
    results = results_with(evidence_of(tmp_path / "one", UNLIKE))
    rows = [{**row, "named": at == 0} for at, row in enumerate(results.rows(VALIDATION.file))]
    assert "Mostly yes: 2 of 3 reports" in Page(validation.CHAPTER.brief(
        with_tables(results, {VALIDATION.file: rows}), AROUND)).text


def test_numbers_without_and_with_later_studies_have_the_same_unit(tmp_path):
    row = {"endpoint": "cr", "status": "computed", "median": 0.8, "lower": 0.7, "upper": 0.9, "k_studies": 9,
           "n_patients": 300}
    rows = [{**row, "dimension": "headline", "study_set": "review"},
            {**row, "dimension": "study_set", "study_set": "all", "median": 0.82}]
    evidence = evidence_of(tmp_path, LIKE)
    brief = validation.CHAPTER.brief(with_tables(results_with(evidence), {"sensitivity.csv": rows}), AROUND)
    (heads, line), = Page(brief).tables.values()
    assert heads[1:3] == ["Without, %", "With them, %"] and line[1:3] == ["80 [70, 90]", "82 [70, 90]"]


@pytest.mark.parametrize(("studies", "few"), [(9, True), (10, False)])
def test_few_later_studies_of_survival_are_called_few(tmp_path, studies, few):
    results = results_with(evidence_of(tmp_path, LIKE))
    score = {"endpoint": "", "k_studies": studies, "predictions": 12, "named": 0, "chance_named": 0.4, "elpd": -30.0}
    text = text_of(validation, with_tables(results, {SCORES.file: [
        *results.rows(SCORES.file), {**score, "model": "log_hazard"},
        {**score, "model": "weibull", "elpd_difference": 1.0, "difference_se": 0.3}]}))
    assert f"12 reports of survival from {studies} later studies" in text
    assert ("so few studies say little" in text) == few


def test_checks_lead_with_their_verdict(tmp_path):
    results = results_with(evidence_of(tmp_path, LIKE, review=COUNTS | {"odd": (10, 40)}))
    text, rows = text_of(checks, results), results.rows(CHECKS.file)
    assert f"The models predict what the studies report: {len(rows)} of {len(rows)} reports on 1 endpoint" in text
    assert f"Before any data {len(rows)} of {len(rows)} lie within" in text and "priors are weak" in text
    outside = [{**row, "posterior_within": at > 0} for at, row in enumerate(rows)]
    text = text_of(checks, with_tables(results, {CHECKS.file: outside}))
    assert "By and large the models predict" in text and f"{rows[0]['label']} reports" in text


@pytest.mark.parametrize(("outside", "verdict"), [
    (0, "Nothing speaks against it: 40 of 40"), (1, "By and large: 39 of 40"), (4, "By and large: 36 of 40"),
    (5, "Not well: 35 of 40")])
def test_the_brief_of_checks_says_how_hard_the_test_is(tmp_path, outside, verdict):
    """Of 40 reports more than 4 lie outside of 95 % intervals with a mid-p of 0.031, more than 3 with one of 0.093."""
    row = {"endpoint": "cr", "model": "beta_binomial", "level": 0.95, "status": "computed", "posterior_lower": 0.2}
    rows = [{**row, "posterior_within": at >= outside, "posterior_upper": 0.71 if at < 7 else 0.69} for at in range(40)]
    results, survival = results_of(evidence_of(tmp_path, LIKE)), {"endpoint": "os", "months": 12.0}
    told = Page(checks.CHAPTER.brief(with_tables(results, {CHECKS.file: rows}), AROUND)).text
    assert verdict in told and "fitted to, and 7 of these ranges are wider than 50 points." in told
    assert "hazard" not in told and "extreme" not in told
    rows[-1] |= survival | {"model": "log_hazard", "posterior_upper": 0.5}
    extreme = [{"endpoint": "cr", "statistic": "spread", "extreme": True}]
    told = Page(checks.CHAPTER.brief(with_tables(results, {CHECKS.file: rows, CHECK_STATISTICS.file: extreme}),
                                     AROUND)).text
    assert "Survival is checked with a constant hazard" in told and "is extreme in 1 case." in told
    assert "Nothing speaks against it" not in told


@pytest.mark.parametrize("chapter", [checks, validation])
def test_labels_of_the_evidence_are_inert(tmp_path, chapter):
    results = results_with(evidence_of(tmp_path / "evidence", UNLIKE, labels=NASTY))
    page = chapter.CHAPTER.section(results, AROUND)
    assert "<script>" not in page and "\u202e" not in page
    for picture in chapter.CHAPTER.figures(results):
        figure = picture.draw(**picture.content)
        assert "\u202e" not in shown(figure)
        assert all(path.stat().st_size > 1000 for path in save_figure(figure, tmp_path / picture.name))


def test_a_report_beyond_its_limits_is_a_mark_of_its_own(tmp_path):
    results = results_with(evidence_of(tmp_path, UNLIKE))
    (picture,) = validation.CHAPTER.figures(results)
    (axes,) = picture.draw(**picture.content).axes
    row = results.rows(VALIDATION.file)[0]
    assert row["observed"] < row["lower"]
    ends = [list(line.get_xdata()) for line in axes.lines]
    assert [row["lower"], row["upper"]] in ends and [row["observed"]] in ends
