"""The pages of a report in a browser: at a laptop's and a telephone's width, in the light and in the dark, on paper."""

import re
import shutil
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe

from analysis.chapters.chapter import all_chapters
from analysis.runs.page import render
from analysis.system.files import write_text
from tests.explorer.browsing import CHROMIUM, browser
from tests.report.test_page import HOSTILE, portable
from tests.reporting import drawn

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium")

LAPTOP, TELEPHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
SCREENS = 8


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


@pytest.fixture
def opened(chromium):
    """Opens a page; whatever it complains about, or asks for beside the files of its folder, is told at the end."""
    noticed, contexts = [], []

    def open_page(path, size=LAPTOP, **options):
        context = chromium.new_context(viewport=size, **options)
        page = context.new_page()
        page.on("console", lambda message: noticed.append(message.text))
        page.on("pageerror", lambda error: noticed.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((path.parent.as_uri(), "data:"))
                else noticed.append(asked.url))
        page.goto(path.as_uri())
        contexts.append(context)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert noticed == []


@pytest.mark.parametrize("size", [LAPTOP, TELEPHONE], ids=["laptop", "telephone"])
def test_no_page_is_wider_than_the_screen(seen, opened, size):
    page = opened(seen.folder / "report.html", size)
    for path in (seen.folder / "report.html", *sorted(seen.folder.glob("details/*.html"))):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"], path.name
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth)"), path.name


def test_on_a_telephone_no_table_of_the_page_to_read_is_cut(seen, opened):
    """Also where words and numbers are as long as those of the shipped evidence."""
    page = opened(seen.folder / "report.html", TELEPHONE)
    table = page.locator(".questions .scroll", has_text="The same with later studies")
    for cells, text in (("tbody th", "Neurotoxicity, crude"), ("td:nth-of-type(1)", "80 % [72, 86]")):
        table.locator(cells).evaluate_all("(cells, text) => cells.forEach(cell => cell.textContent = text)", text)
    assert table.count() == 1 and page.evaluate("""[...document.querySelectorAll(".scroll")].filter(
        frame => frame.scrollWidth > frame.clientWidth).map(frame => frame.innerText.slice(0, 60))""") == []


def test_the_page_to_read_is_short(seen, opened):
    page = opened(seen.folder / "report.html")
    assert page.evaluate("document.documentElement.scrollHeight") <= SCREENS * LAPTOP["height"]
    assert len(page.inner_text("main").split()) < 5000


@pytest.mark.parametrize(("size", "colours"), [(LAPTOP, "light"), (TELEPHONE, "dark")], ids=["laptop", "telephone"])
@pytest.mark.parametrize("name", ["report", "details/endpoint-os", "details/evidence", "details/influence"])
def test_pages_are_accessible(seen, opened, name, size, colours):
    page = opened(seen.folder / f"{name}.html", size, color_scheme=colours)
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


def test_links_lead_to_their_place(seen, opened):
    page = opened(seen.folder / "report.html")
    page.click("#influence tbody a >> nth=0")
    anchor = page.url.partition("#")[2]
    assert anchor.startswith("row-")
    assert -1 <= page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", anchor) < 400
    page.click("h1 a")
    assert page.url.endswith("/report.html")


def test_tables_sort_by_value_and_back(seen, opened):
    page = opened(seen.folder / "details" / "influence.html")
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    head = page.locator("th.num button", has_text="P(predicted").first if page.locator(
        "th.num button", has_text="P(predicted").count() else page.locator("th.num button").last
    table = head.locator("xpath=ancestor::table")
    at = head.evaluate("button => button.parentElement.cellIndex")

    def column():
        cells = table.locator(f"tbody tr > :nth-child({at + 1})").all_inner_texts()
        values = [re.sub("[<>,]", "", cell).replace("−", "-") for cell in cells]
        return [float(value.split()[0]) for value in values if re.match(r"-?[\d.]+", value)]

    before = column()
    for order, name in ((sorted, "ascending"), (lambda values: sorted(values, reverse=True), "descending")):
        head.click()
        assert column() == order(before) and head.locator("..").get_attribute("aria-sort") == name
    assert len(set(before)) > 2


def test_without_its_details_the_page_says_so(seen, opened, tmp_path):
    with_details = opened(seen.folder / "report.html")
    assert with_details.evaluate("document.querySelector('nav img').naturalWidth") == 1
    shutil.copy(seen.folder / "report.html", tmp_path)
    context = with_details.context.browser.new_context()
    alone = context.new_page()
    alone.goto((tmp_path / "report.html").as_uri())
    image = alone.locator("nav img")
    assert image.evaluate("image => image.naturalWidth") == 0 and image.bounding_box()["width"] > 100
    assert "details/ is not beside this file" in image.get_attribute("alt")
    context.close()


def test_hostile_labels_do_nothing(opened, tmp_path):
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    results = portable(
        tmp_path / "data", studies=f"study_id,label,year\nalpha_2019,{quoted},2019\nbeta_2021,Beta,2021\n",
        endpoints=f"endpoint,label,kind,direction\ncr,{quoted},rate,benefit\n")
    pages = render(results, all_chapters(), drawn(results, tmp_path / "figures")[0])[0]
    for name, text in pages.items():
        write_text(tmp_path / "out" / name, text)
    page = opened(tmp_path / "out" / "report.html")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for name in (name for name in pages if name.endswith(".html")):
        page.goto((tmp_path / "out" / name).as_uri())
        assert page.locator("script").count() == 1, name
        assert name not in ("report.html", "details/endpoint-cr.html") or "<script>alert(1)" in page.inner_text("main")


def test_paper_is_light_and_shows_every_figure(seen, opened, tmp_path):
    page = opened(seen.folder / "details" / "endpoint-os.html", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("""[...document.querySelectorAll(".scroll")].every(
        box => getComputedStyle(box).overflow === "visible")""")
    assert page.evaluate("""[...document.querySelectorAll("figure img")].every(
        image => image.getBoundingClientRect().width <= document.documentElement.clientWidth)""")
    page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


_SIZES = """[...document.querySelectorAll("figure img")].map(image => [
    image.getBoundingClientRect().height, image.naturalWidth / image.naturalHeight
    * image.getBoundingClientRect().height / image.getBoundingClientRect().width])"""
_PIECES = """[...document.querySelectorAll("figure")].map(figure => [
    ...figure.querySelectorAll(".piece")].map(piece => {
    const frame = piece.getBoundingClientRect(), image = piece.querySelector("img").getBoundingClientRect();
    return [frame.height, (frame.top - image.top) / image.height, (frame.bottom - image.top) / image.height,
            image.width / piece.querySelector("img").naturalWidth];
})).filter(pieces => pieces.length)"""


def test_on_paper_folds_are_open_and_long_figures_are_read_over_several_sheets(seen, opened, tmp_path):
    """Pieces hold the whole figure at nine tenths of its size or more, and each begins with the end of the last one.

    Browsers cut what is longer than a sheet, and one of Letter paper is 27.9 cm long with its margins.
    """
    page = opened(seen.folder / "report.html", {"width": 700, "height": 1000})
    page.emulate_media(media="print")
    long = 0
    for path in (seen.folder / "report.html", *sorted(seen.folder.glob("details/*.html"))):
        page.goto(path.as_uri())
        sizes = page.evaluate(_SIZES)
        assert all(height <= 22.5 / 2.54 * 96 and abs(kept - 1) < 0.02 for height, kept in sizes), (path.name, sizes)
        before = page.evaluate("document.body.innerHTML")
        folded = page.evaluate("document.querySelectorAll('details:not([open])').length")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
        for pieces in page.evaluate(_PIECES):
            long += 1
            assert all(height <= 22.5 / 2.54 * 96 and size > 0.9 for height, _, _, size in pieces), path.name
            assert abs(pieces[0][1]) < 0.002 and abs(pieces[-1][2] - 1.0) < 0.002, path.name
            assert all(0.0 < one[2] - other[1] < 0.1 for one, other in pairwise(pieces)), path.name
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate("document.querySelectorAll('details:not([open])').length") == folded
        assert page.evaluate("document.body.innerHTML") == before, "printing leaves the page as it was"
    assert long


def test_the_paper_of_a_browser_has_the_folded_tables(seen, opened, tmp_path):
    """The differences have two tables below folds, which would else be missing from the sheets."""
    page = opened(seen.folder / "details" / "differences.html")
    sheets = []
    for name in ("folded", "open"):
        page.pdf(path=tmp_path / name, format="A4")
        sheets.append(len(re.findall(rb"/Type\s*/Page\b", (tmp_path / name).read_bytes())))
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    assert sheets[0] == sheets[1] > 2


def test_captions_stay_in_view_on_a_telephone(seen, opened):
    page = opened(seen.folder / "details" / "differences.html", TELEPHONE)
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    wide = page.evaluate("""[...document.querySelectorAll(".scroll")].filter(
        frame => frame.scrollWidth > frame.clientWidth).map(frame => { frame.scrollLeft = 9999;
        const box = frame.querySelector("caption span").getBoundingClientRect(); return [box.left, box.right]; })""")
    assert wide and all(0 <= left and right <= TELEPHONE["width"] for left, right in wide), wide
