"""Files of figures: the same bytes each time, safe to open, made without touching a user's settings."""

import pickle
import re
import subprocess
import sys
from xml.etree import ElementTree

import matplotlib
import pytest
from PIL import Image

from analysis.chapters.chapter import all_chapters
from analysis.chapters.endpoints.figure import draw_forest
from analysis.drawing import style
from analysis.drawing.saving import save_figure
from analysis.runs.figures import draw_all
from analysis.runs.workers import Nobody
from tests.evidence.build import write_evidence
from tests.figures.test_forest import HOSTILE, PUBLISHED, estimates, studies
from tests.reporting import drawn, load, pictures_of, project_results, results_of


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return results_of(load(write_evidence(tmp_path_factory.mktemp("evidence"))))


def forest(**changes):
    rows = studies(3, **changes)
    return draw_forest(rows, estimates=estimates(rows), published=PUBLISHED, label="Response")


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    first = [path.read_bytes() for path in save_figure(forest(), tmp_path / "one" / "forest.cr")]
    again = [path.read_bytes() for path in save_figure(forest(), tmp_path / "two" / "forest.cr")]
    assert first == again


def test_hostile_labels_stay_text_in_the_svg(tmp_path):
    svg, _ = save_figure(forest(label=HOSTILE + "\x0b"), tmp_path / "forest")
    tree = ElementTree.fromstring(svg.read_text("utf-8"))
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert "script" not in names and "image" not in names
    assert any("<script>alert(1)" in "".join(element.itertext()) for element in tree.iter() if "text" in element.tag)


def test_colours_of_a_figure_have_another_one_on_a_dark_screen(tmp_path):
    svg, png = save_figure(forest(), tmp_path / "forest")
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg.read_text("utf-8")))
    assert used and used <= {colour.lower() for colour in style.DARK}
    assert "@media (prefers-color-scheme:dark)" in svg.read_text("utf-8")
    assert Image.open(png).convert("RGB").getpixel((1, 1)) == (255, 255, 255)


def test_letters_that_no_font_has_are_told_of_and_stay_text(tmp_path, capsys, monkeypatch):
    evidence = load(write_evidence(tmp_path / "evidence", endpoints="endpoint,label,kind,direction\n"
                                   "cr,完全寛解,rate,benefit\n"))
    for names in ((), ("A font that nobody has",)):
        monkeypatch.setattr(style, "_FALLBACKS", names)
        style.fallbacks.cache_clear()
        _, paths = drawn(results_of(evidence), tmp_path / "figures")
        told = capsys.readouterr().err
        assert told.count("No installed font has all letters of 完全寛解") == 1 and "findfont" not in told
        assert "完全寛解" in paths[0].read_text("utf-8")
    style.fallbacks.cache_clear()


def test_neither_date_nor_version_is_written(tmp_path):
    svg, png = save_figure(forest(), tmp_path / "forest")
    assert matplotlib.__version__.encode() not in svg.read_bytes() + png.read_bytes()
    assert b"dc:date" not in svg.read_bytes()


def test_a_users_settings_neither_matter_nor_change(tmp_path):
    plain = save_figure(forest(), tmp_path / "a" / "forest")[0].read_bytes()
    with matplotlib.rc_context({"font.size": 31, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert save_figure(forest(), tmp_path / "b" / "forest")[0].read_bytes() == plain
        assert matplotlib.rcParams["font.size"] == 31


def test_a_failure_leaves_no_file(tmp_path, monkeypatch):
    figure = forest()
    monkeypatch.setattr(figure, "savefig", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_figure(figure, tmp_path / "forest")
    assert list(tmp_path.iterdir()) == []


def test_each_endpoint_with_studies_has_a_figure():
    names = [picture.name for picture in pictures_of(project_results())]
    assert {"forest.cr", "forest.os", "published"} <= set(names) and len(set(names)) == len(names) == 13


def test_without_published_numbers_there_is_no_comparison_figure(results, tmp_path):
    pictures, paths = drawn(results, tmp_path)
    assert list(pictures) == ["forest.cr"]
    assert [path.name for path in paths] == ["forest.cr.svg", "forest.cr.narrow.svg"]


def test_a_survival_only_directory_is_drawn(tmp_path):
    evidence = load(write_evidence(
        tmp_path / "evidence", responses=None,
        endpoints="endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n",
        survival="study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n"
                 "alpha_2019,os,median,,12,8,20,40\nbeta_2021,os,landmark,12,0.6,0.45,0.75,30\n"))
    assert list(drawn(results_of(evidence), tmp_path / "figures")[0]) == ["forest.os"]


def test_pictures_survive_pickling_and_draw_the_same(results, tmp_path):
    """Another process may draw them."""
    picture, = pickle.loads(pickle.dumps(pictures_of(results)))
    here = drawn(results, tmp_path)[1][0].read_bytes()
    assert save_figure(picture.draw(**picture.content), tmp_path / "again" / picture.name)[0].read_bytes() == here


def test_a_drawing_process_loads_no_sampler():
    code = "import sys, analysis.runs.figures; sys.exit('pymc' in sys.modules or 'arviz' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_failed_headline_is_stamped(tmp_path):
    _, (svg, *_) = drawn(results_of(load(write_evidence(tmp_path / "evidence")), failing=[("cr", "all")]), tmp_path)
    assert "NOT CONVERGED" in svg.read_text("utf-8") and "credible" not in svg.read_text("utf-8")


def test_a_report_writes_pixels_where_they_are_asked_for(results, tmp_path):
    _, pictures, paths = draw_all(results, all_chapters(), tmp_path, executor=Nobody(), png=True)
    assert list(pictures) == ["forest.cr"]
    assert [path.name for path in paths] == ["forest.cr.svg", "forest.cr.narrow.svg", "forest.cr.png"]
    assert Image.open(paths[-1]).size[0] > 1000
