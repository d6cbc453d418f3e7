"""The pinned simulation on the page: its numbers, its date, and silence where the evidence is another one."""


from analysis.evidence.loading import load
from analysis.results.numbers import percent
from analysis.results.simulated import (
    CONVERTED,
    DEFAULT,
    END_TO_END,
    SHOWN,
    by_world,
    judged,
    record,
    simulated_rows,
)
from tests.evidence.build import write_evidence
from tests.report.reading import Page
from tests.reporting import page_of, project_results, with_tables


def test_page_shows_the_record():
    rows, pinned = record()["rows"], record()
    page = Page(page_of(with_tables(project_results(), {END_TO_END.file: rows})))
    caption = next(caption for caption in page.tables if caption.startswith("Survival at 12 months of simulated"))
    heads, *lines = page.tables[caption]
    assert len(lines) == len(by_world(rows)) and len(heads) == 4 + len(SHOWN)
    for line, world in zip(lines, by_world(rows), strict=True):
        for cell, way in zip(line[3:-1], SHOWN, strict=True):
            found = world["of"][way]
            assert cell == f"{100 * found['estimate']:.1f} % ({percent(found['coverage'])} %)"
    verdict = judged(rows)
    assert f"seed {pinned['seed']}, {pinned['date']}" in page.text
    assert f"a factor of {DEFAULT[1]} for censoring is the default" in page.text
    assert all(f"A factor of {other['factor']} " in page.text for other in verdict["others"])


def test_judgement_is_the_farthest_bias_over_worlds():
    def row(way, quantity, bias, law, coverage=0.9):
        return {"endpoint": "pfs", "law": law, "method": way[0], "factor": way[1], "quantity": quantity, "bias": bias,
                "coverage": coverage, "sets": 50}

    lower = (DEFAULT[0], 1.0)
    found = judged([row(way, quantity, bias, law, coverage) for law, coverage, biases in (
        ("a", 0.95, (-0.03, 0.01, 0.02, -0.2)), ("b", 0.97, (0.01, -0.02, -0.1, 0.1))) for (way, quantity), bias in zip(
            ((CONVERTED, "survival at 12 months"), (DEFAULT, "survival at 12 months"), (DEFAULT, "shape"),
             (lower, "shape")), biases, strict=True)])
    assert (found["bias"], found["bias_converted"], found["coverage"], found["shape"]) == (
        -0.02, -0.03, (0.95, 0.97), -0.1)
    assert found["others"] == [{"factor": 1.0, "bias": -0.2, "own": -0.1, "sets": 50}]


def test_of_other_designs_nothing_is_said(tmp_path, shipped):
    assert simulated_rows(load(write_evidence(tmp_path))) == {}
    assert len(simulated_rows(shipped)[END_TO_END.file]) == len(record()["rows"])
