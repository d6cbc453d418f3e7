"""The forest plot shows its rows: every study, areas by patients, intervals where the tables put them."""

import pytest
from matplotlib.figure import Figure

from analysis.chapters.endpoints import forest_of
from analysis.chapters.endpoints.figure import LARGEST_SQUARE, MAX_STUDIES, draw_forest
from analysis.results.tables import exact_interval
from tests.figures.reading import drawn, shown, texts
from tests.reporting import project_results

HOSTILE = "<script>alert(1)</script> $x_1^2$ 50 % & \\alpha {"


def studies(count: int, **changes: object) -> list[dict]:
    """Rows of studies.csv for `count` studies of different sizes, the first without events, the second with all."""
    rows = []
    for at in range(count):
        n = 5 + 7 * at
        events = (0, n, n // 2)[min(at, 2)]
        rows.append({"study_id": f"s_{at}", "label": f"Study {at}", "tier": "ABC"[at % 3], "events": events, "n": n,
                     "statistic": f"{events}/{n}", "level": 0.95, **exact_interval(events, n, 0.95), **changes})
    return rows


def estimates(rows: list[dict]) -> list[dict]:
    """Rows of estimates.csv for these studies."""
    shared = {"study_id": None, "level": 0.95, "k_studies": len(rows), "n_patients": sum(row["n"] for row in rows)}
    return [{**shared, "estimand": "mean_rate", "interval": "credible", "median": 0.61, "lower": 0.52, "upper": 0.73},
            {**shared, "estimand": "new_study_rate", "interval": "prediction", "median": 0.62, "lower": 0.2,
             "upper": 0.9},
            *({**shared, "estimand": "study_rate", "interval": "credible", "study_id": row["study_id"],
               "median": 0.55, "lower": 0.41, "upper": 0.77} for row in rows)]


PUBLISHED = [{"estimand": "mean_rate", "transform": "identity", "published": 0.66, "published_lower": 0.58,
              "published_upper": 0.74, "published_level": 0.95, "published_k": 16, "published_n": 489}]


def squares(figure: Figure) -> dict[int, tuple[float, float]]:
    """Area and rate of each study's square by its place from the top."""
    return {int(mark.get_gid().split("-")[1]): (mark.get_markersize() ** 2, mark.get_xdata()[1])
            for mark in figure.axes[0].lines if (mark.get_gid() or "").startswith("square-")}


@pytest.mark.parametrize("count", [1, 2, 40])
def test_every_study_is_shown_with_its_counts_and_intervals(count):
    rows = studies(count)
    figure = draw_forest(rows, estimates=estimates(rows), published=PUBLISHED, label="Response")
    for row in rows:
        assert row["label"] in texts(figure)
        assert f"{row['tier']} · {row['statistic']}" in texts(figure)
        assert tuple(round(row[name], 6) for name in ("raw_lower", "raw", "raw_upper")) in drawn(figure)
    assert len(squares(figure)) == count


def test_area_of_a_square_is_proportional_to_patients():
    rows = studies(12)
    found = squares(draw_forest(rows, estimates=estimates(rows), label="Response"))
    ranked = sorted(rows, key=lambda row: (-row["raw"], row["label"]))
    for place, row in enumerate(ranked):
        area, rate = found[place]
        assert area / row["n"] == pytest.approx(LARGEST_SQUARE / max(row["n"] for row in rows))
        assert rate == pytest.approx(row["raw"])


def test_pooled_rows_are_where_the_tables_put_them_and_name_their_kind():
    rows = studies(3)
    figure = draw_forest(rows, estimates=estimates(rows), published=PUBLISHED, label="Response")
    assert {(0.2, 0.62, 0.9), (0.58, 0.66, 0.74)} <= drawn(figure)
    diamond = next(patch for patch in figure.axes[0].patches if len(patch.get_xy()) == 5).get_xy()
    assert sorted({round(float(x), 9) for x in diamond[:, 0]}) == [0.52, 0.61, 0.73]
    for words in ("95 % credible interval", "95 % prediction interval", "95 % confidence interval",
                  "16 studies, 489 patients", "61 [52, 73]", "62 [20, 90]", "66 [58, 74]"):
        assert words in shown(figure)


def test_a_fit_that_did_not_converge_shows_its_stamp_and_no_posterior_number():
    rows = studies(4)
    figure = draw_forest(rows, estimates=estimates(rows), label="Response", status="NOT CONVERGED", stamp="QUICK")
    words = shown(figure)
    assert "NOT CONVERGED · QUICK" in words and all(row["label"] in words for row in rows)
    assert "hrunken" not in words and "credible" not in words and "61 [" not in words and "55 [" not in words
    assert not {(0.41, 0.55, 0.77), (0.2, 0.62, 0.9)} & drawn(figure)


def test_neither_published_row_nor_estimates_are_needed():
    figure = draw_forest(studies(2), estimates=[], label="Response")
    assert "Published" not in texts(figure)
    assert len(squares(figure)) == 2


def test_an_interval_whose_level_is_not_stated_has_none():
    rows = studies(2)
    figure = draw_forest(rows, estimates=estimates(rows), published=[{**PUBLISHED[0], "published_level": None}],
                         label="Response")
    assert "confidence interval" in texts(figure)


def test_a_published_complement_is_not_drawn_beside_the_rate():
    rows = studies(2)
    figure = draw_forest(rows, estimates=estimates(rows), published=[{**PUBLISHED[0], "transform": "complement"}],
                         label="Response")
    assert "Published" not in texts(figure)


@pytest.mark.parametrize(("horizon", "shows"), [(None, True), (12.0, True), (24.0, False)])
def test_a_published_survival_is_drawn_beside_an_answer_at_the_same_months_only(horizon, shows):
    """R05 prints overall survival at 12 months, which is no number to set beside survival at 24."""
    results = project_results(horizon=horizon)
    endpoint = results.evidence.endpoint("os")
    content = forest_of(results, endpoint, results.headline("os"))
    assert content["horizon"] == (horizon or 12.0)
    figure = draw_forest(**content)
    assert ("Published" in texts(figure)) == ("57 [49, 65]" in shown(figure)) == shows


def test_a_published_rate_is_drawn_whatever_the_horizon():
    results = project_results(horizon=24.0)
    assert "81 [72, 89]" in shown(draw_forest(**forest_of(
        results, results.evidence.endpoint("cr"), results.headline("cr"))))


def test_survival_names_its_months_and_the_printed_statistic():
    rows = [{**row, "events": None, "statistic": "median 9 months (7 to 12)"} for row in studies(2)]
    figure = draw_forest(rows, estimates=[], label="Survival", horizon=18.0)
    assert figure.axes[0].get_xlabel() == "Survival at 18 months, %"
    assert f"A · {rows[0]['n']} · median 9 months (7 to 12)" in texts(figure)


def test_labels_are_text_and_never_formulas():
    rows = studies(1, label="$x_1^2$ 50 % \\alpha")
    figure = draw_forest(rows, estimates=[], label=HOSTILE)
    assert all(not text.get_parse_math() for axes in figure.axes for text in axes.texts)
    assert "$x_1^2$ 50 % \\alpha" in texts(figure)


def test_long_labels_are_shortened_to_two_lines_within_their_column():
    rows = studies(1, label="A consortium of very many hospitals " * 6)
    lines = [text for text in texts(draw_forest(rows, estimates=[], label="R")) if "of very" in text]
    assert len(lines) == 2 and lines[1].endswith("…") and max(map(len, lines)) <= 31


def test_more_studies_than_a_page_holds_keeps_the_largest_and_says_so():
    rows = studies(MAX_STUDIES + 30)
    figure = draw_forest(rows, estimates=estimates(rows), label="Response")
    assert len(squares(figure)) == MAX_STUDIES
    assert f"Study {MAX_STUDIES + 29}" in texts(figure) and "Study 0" not in texts(figure)
    assert any("30 smaller studies not drawn" in text for text in texts(figure))
