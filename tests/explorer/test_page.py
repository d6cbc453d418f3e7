"""The page in a browser: it starts, answers, keeps windows apart, and says nothing to anyone else."""

import shlex
import urllib.error
import urllib.request

import pytest

from tests.explorer.browsing import CHROMIUM, browser, changed, explorer, opened, pooled

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium")

HOSTILE = '"<img src=x onerror=document.title=1>"'
SHEET = f"study,endpoint,events,n\n{HOSTILE},{HOSTILE},3,10\nB,{HOSTILE},5,12\n"


@pytest.fixture(scope="module")
def address():
    with explorer() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(address):
    with browser() as running:
        yield running


@pytest.fixture
def page(chromium, address):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = opened(address, context)
    yield page
    assert page.noticed == []
    context.close()


def test_numbers_follow_what_is_chosen(page, tmp_path):
    assert pooled(page) == "80 % [72, 86]"
    assert "--without park_2018" in changed(page, lambda: page.uncheck("[name=study][value=park_2018]"))
    assert "--set all" in changed(page, lambda: page.select_option("[name=set]", "all"))
    assert not page.is_checked("[name=study][value=park_2018]")
    assert "Survival of the typical study" in changed(page, lambda: page.select_option("[name=endpoint]", "os"))
    page.fill("#trial [name=months]", "9")
    page.fill("#trial [name=n]", "30")
    page.wait_for_selector("#trial_answer code")
    page.fill("#threshold input", "0.5")
    page.wait_for_selector("#exceedance tr:has-text('Your threshold')")
    changed(page, lambda: page.select_option("[name=endpoint]", "cr"))
    page.wait_for_selector("#trial_answer code", state="detached")
    page.click("#design button")
    page.wait_for_selector("#planned code")
    assert shlex.split(page.inner_text("#planned code >> nth=-1"))[:3] == ["recart", "design", "cr"]
    with page.expect_download() as given:
        page.click("#figure_svg")
    assert given.value.suggested_filename == "cr.forest.svg"
    assert "<svg" in given.value.path().read_text()


def test_what_is_typed_wrong_is_told_and_mended(page):
    changed(page, lambda: page.select_option("[name=endpoint]", "os"))
    assert "no number between" in changed(page, lambda: page.fill("[name=horizon]", "0"))
    assert "at 24 months" not in changed(page, lambda: page.fill("[name=horizon]", "24"))
    assert pooled(page).endswith("]")


def test_an_upload_is_seen_in_its_window_only_and_its_words_are_inert(page, chromium, address, tmp_path):
    (tmp_path / "mine.csv").write_text(SHEET)
    context = chromium.new_context()
    other = opened(address, context)
    told = changed(page, lambda: page.set_input_files("#file input", tmp_path / "mine.csv"))
    assert "<img src=x" in told and "--data mine.csv" in told and page.title() == "recart explorer"
    assert "no problem found. 2 studies" in page.inner_text("#checked")
    changed(other, lambda: other.uncheck("[name=study][value=hay_2019]"))
    assert "mine.csv" not in other.content() and "<img" not in other.inner_text("#rows")
    (tmp_path / "bad.csv").write_text(SHEET.replace("5,12", "13,12"))
    page.set_input_files("#file input", tmp_path / "bad.csv")
    page.wait_for_selector("#checked .failed")
    assert "events = 13 exceeds n = 12" in page.inner_text("#checked") and "mine.csv" in page.inner_text("#result")
    (tmp_path / "big.csv").write_bytes(b"x" * 2_000_001)
    page.set_input_files("#file input", tmp_path / "big.csv")
    page.wait_for_selector("#too_large:not([hidden])")
    changed(page, lambda: page.uncheck("[name=study] >> nth=0"))
    assert "--without" not in changed(page, lambda: page.set_input_files("#file input", tmp_path / "mine.csv"))
    assert page.is_checked("[name=study] >> nth=0")
    assert "80 % [72, 86]" in changed(page, lambda: page.click("#reset button"))
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_everyone_can_read_it(chromium, address, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = opened(address, context)
    page.fill("#trial [name=events]", "12")
    page.fill("#trial [name=n]", "20")
    page.wait_for_selector("#trial_answer code")
    page.click("summary")
    page.wait_for_selector("#details table")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.focus("[name=endpoint]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "set"
    assert page.noticed == []
    context.close()


def test_without_the_token_nothing_answers(address):
    host = address.split("/")[2]
    for path in ("", "lib/", "websocket/", "x" * 32 + "/"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{host}/{path}")
        assert refused.value.code == 404
    request = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request)
