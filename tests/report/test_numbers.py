"""Every number of the page is the one of the tables, rounded as promised."""

import re

import pytest

from tests.report.reading import Page
from tests.reporting import page_of, project_results

ANSWER = "Published estimates beside posterior medians of the same estimand"


@pytest.fixture(scope="module")
def results():
    return project_results()


@pytest.fixture(scope="module")
def page(results):
    return Page(page_of(results))


def numbers(cell):
    return [float(text) for text in re.findall(r"-?\d+(?:\.\d+)?", cell.replace("−", "-"))]


def test_the_answer_holds_the_values_of_the_comparison(results, page):
    rows = {row[-1]: row for row in page.tables[ANSWER][1:]}
    compared = results.compared()
    assert len(rows) == len(compared) == 16
    for row in compared:
        scale, digits = (1, 1) if row["units"] == "months" else (100, 0)
        cells = rows[row["reported_id"]]
        ours = [round(scale * row[name], digits) for name in ("median", "lower", "upper")]
        assert numbers(cells[3]) == pytest.approx(ours)
        theirs = [scale * row[name] for name in ("published", "published_lower", "published_upper")]
        assert numbers(cells[1]) == pytest.approx(theirs)
        assert numbers(cells[4]) == [row["k_studies"], row["n_patients"]]
        assert numbers(cells[5]) == pytest.approx([round(scale * row["difference"], digits)])
        assert numbers(cells[6]) == pytest.approx([row["width_ratio"]], abs=0.0051)
        assert numbers(cells[7]) == pytest.approx([100 * row["probability_of_published_interval"]], abs=0.51)


def test_published_numbers_stand_as_printed(page):
    rows = {row[-1]: row for row in page.tables[ANSWER][1:]}
    assert rows["R01"][1] == "81 % [72, 89]"
    assert rows["R07"][1] == "15 months [11.6, 19.4]"


def test_the_summary_counts_agreement(results, page):
    pairs = [row for row in results.compared() if row["reported_id"] not in ("R06", "R07")]
    inside = sum(row["lower"] <= row["published"] <= row["upper"] for row in pairs)
    assert inside == len(pairs), "the medians alone lie outside"
    assert f"All of the {len(pairs)} published pooled estimates that answer the same question lie inside our 95 %" \
        in page.text
    assert page.text.count("R06, R07: follow from another number of the same endpoint and subset") == 1


def test_rows_outside_are_marked(results):
    source = page_of(results)
    outside = sum(not row["lower"] <= row["published"] <= row["upper"]
                  for primary in (True, False) for row in results.compared(primary=primary))
    assert source.count('<tr class="outside">') == outside > 0


def test_study_tables_hold_raw_and_shrunken_values(results, page):
    record = results.headline("cr")
    rows = page.tables["Complete remission (CR or CRi): each study, %"][1:]
    own = {row["study_id"]: row for row in record.estimates if row["study_id"]}
    for cells, study in zip(rows, record.studies, strict=True):
        assert cells[0] == study["label"] and cells[3] == f"{study['events']}/{study['n']}"
        raw = [round(100 * study[name]) for name in ("raw", "raw_lower", "raw_upper")]
        assert numbers(cells[5]) == pytest.approx(raw)
        shrunken = [round(100 * own[study["study_id"]][name]) for name in ("median", "lower", "upper")]
        assert numbers(cells[6]) == pytest.approx(shrunken)


def test_priors_and_data_are_those_of_the_run(results, page):
    assert results.evidence.sha256 in page.text
    for record in results.records:
        assert all(f"{name} ~ {prior}" in page.text for name, prior in record.priors.items())


def test_rates_without_a_common_horizon_are_named_crude(results, page):
    """Relapse and transplant, of which studies count what they saw until they were printed; wherever a label stands."""
    crude = {"relapse": "Relapse among responders", "hct_after": "Allogeneic transplant after CAR-T"}
    for key, label in crude.items():
        assert results.evidence.endpoint(key).label == f"{label}, crude" and f"{label}, crude" in page.text
        assert not re.search(rf"{label}(?!, crude)", page.text)
    assert f"{'; '.join(f'{label}, crude' for label in crude.values())}: a crude proportion over unequal" in page.text
    assert [one.endpoint for one in results.evidence.endpoints if ", crude" in one.label] == list(crude)


def test_intervals_name_kind_and_level(page):
    for rows in (page.tables[ANSWER], page.tables["Pooled estimate, prediction for a new study, and heterogeneity"]):
        assert all(re.search(r"95 % (confidence|credible|prediction)", head) for head in rows[0] if "[" in head)
