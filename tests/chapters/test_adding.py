"""Adding to the report is adding: a chapter is one folder, an endpoint is one row."""

import base64
import json
import re
import sys

import pytest

import analysis.chapters
from analysis.__main__ import main
from analysis.chapters.chapter import all_chapters
from analysis.system.failures import DEBUG
from tests.evidence.build import MINIMAL, write_evidence
from tests.exactly import quadrature
from tests.report.reading import Page, csv_rows, whole

CHAPTER = '''"""How large the studies are."""
from matplotlib.figure import Figure

from analysis.chapters.chapter import Chapter, Picture, Task
from analysis.drawing.html import section
from analysis.results.table import Column, Layout

SIZES = Layout("sizes.csv", "One study of the first endpoint.", (
    Column("study_id", "key of the study", "text"), Column("patients", "patients who can be counted", "count")))


def count(evidence, base):
    return {SIZES.file: [{"study_id": row.study_id, "patients": row.n} for row in evidence.responses]}


def draw(rows):
    figure = Figure()
    figure.subplots().barh([row["study_id"] for row in rows], [row["patients"] for row in rows])
    return figure


CHAPTER = Chapter("sizes", 95, (SIZES,), lambda asked: [Task("sizes", "", count, (asked.base,))],
                  figures=lambda results: [Picture("sizes", draw, {"rows": results.rows(SIZES.file)}, "Bars")],
                  section=lambda results, page: section("sizes", "How large the studies are", page.picture("sizes")))
'''


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Puts a chapter beside those of the program, into a folder of its own."""
    def put_chapter(source):
        folder = tmp_path / "chapters" / "sizes"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(source, "utf-8")
        monkeypatch.setattr(analysis.chapters, "__path__", [*analysis.chapters.__path__, str(folder.parent)])
        all_chapters.cache_clear()

    yield put_chapter
    all_chapters.cache_clear()
    sys.modules.pop("analysis.chapters.sizes", None)


def report(data, output, *options):
    with quadrature(variants=2):
        code = main(["report", "--json", "--data", str(data), "--output", str(output), *options])
    return code, whole(output)


def test_a_folder_is_a_chapter_with_its_table_figure_and_section(put, tmp_path, capsys):
    put(CHAPTER)
    output = tmp_path / "out"
    code, page = report(write_evidence(tmp_path / "data"), output)
    assert code == 0
    assert csv_rows(output / "sizes.csv") == [{"study_id": "alpha_2019", "patients": "10"},
                                             {"study_id": "beta_2021", "patients": "20"}]
    meaning = (output / "README.md").read_text("utf-8").split("## sizes.csv")[1].split("## ")[0]
    assert "One study of the first endpoint." in meaning and "| `patients` | patients who can be counted |" in meaning
    (section,) = re.findall(r'<section id="sizes">.*?</section>', page, re.DOTALL)
    (picture,) = re.findall(r'base64,([^"]*)" alt="Bars"', section)
    assert "How large the studies are" in section
    assert base64.b64decode(picture) == (output / "figures" / "sizes.svg").read_bytes()
    files = json.loads((output / "run.json").read_text("utf-8"))["files"]
    assert {"README.md", "sizes.csv", "figures/sizes.svg", "figures/sizes.narrow.svg", "report.html",
            "details/sizes.html"} <= set(files)
    assert "  sizes\n" in capsys.readouterr().err, "the progress names the task"
    # Its place follows from its rank.
    links = [value for _, name, value in Page((output / "report.html").read_text("utf-8")).attributes if name == "href"]
    assert links.index("details/influence.html") < links.index("details/sizes.html")


def test_a_cell_without_a_column_is_a_failure_of_its_chapter(put, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv(DEBUG)
    put(CHAPTER.replace('"patients": row.n}', '"patents": row.n}'))
    code, page = report(write_evidence(tmp_path / "data"), tmp_path / "out", "--quick")
    assert code == 3 and "FAILED: sizes: ValueError: sizes.csv has no column patents" in page.split("<h2", 1)[1]
    assert csv_rows(tmp_path / "out" / "estimates.csv") and not (tmp_path / "out" / "sizes.csv").exists()


def test_an_endpoint_is_one_row_also_in_a_quick_report_which_is_stamped_and_draws_nothing(tmp_path, capsys):
    data = write_evidence(tmp_path / "data", endpoints=MINIMAL["endpoints.csv"] + "icans,Neuro <b>toxicity,rate,harm\n",
                          responses=MINIMAL["responses.csv"] + "alpha_2019,icans,3,10\nbeta_2021,icans,4,20\n")
    code, page = report(data, tmp_path / "out", "--quick")
    assert code == 0 and "endpoint-icans" in Page(page).ids
    assert "<b>toxicity" not in page and "Neuro &lt;b&gt;toxicity" in page
    for name in ("estimates.csv", "sensitivity.csv", "influence.csv", "frequentist.csv"):
        assert {row["endpoint"] for row in csv_rows(tmp_path / "out" / name)} == {"cr", "icans"}
    assert json.loads(capsys.readouterr().out)["stamp"] == "QUICK" and "QUICK" in page
    assert {row["stamp"] for row in csv_rows(tmp_path / "out" / "estimates.csv")} == {"QUICK"}
    assert not (tmp_path / "out" / "figures").exists()
    assert not (tmp_path / "out" / "comparison.csv").exists(), "nothing was published to compare with"
