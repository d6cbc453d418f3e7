"""Keys of endpoints and subsets that are names of figures, files or words: each section keeps its own picture."""

import base64
import re
from dataclasses import replace

import pytest

from analysis.chapters.endpoints import _named
from tests import reporting
from tests.evidence.build import write_evidence
from tests.exactly import exact_results
from tests.report.reading import Page
from tests.reporting import load

KEYS = ("x", "sensitivity_x", "bubble_x", "forest_x", "funnel", "published", "missing", "decomposition", "baujat",
        "all", "index", "report", "a-b", "a_b", "late")
SIZES = (40, 50, 60, 70, 80)


def _label(key):
    return f"Label of {key.replace('_', ' low ').replace('-', ' dash ')}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Real figures of an evidence directory whose endpoints differ in one count of the first study."""
    folder = tmp_path_factory.mktemp("keys")
    studies = "study_id,label,year,age\n" + "".join(f"s{at},Study {at},{2010 + at},{30 + 7 * (at % 3)}\n"
                                                    for at in range(len(SIZES)))
    responses = "study_id,endpoint,events,n\n" + "".join(
        f"s{at},{key},{n // 2 + (shift if at == 0 else 0)},{n}\n"
        for shift, key in enumerate(KEYS) for at, n in enumerate(SIZES))
    evidence = load(write_evidence(
        folder / "evidence", studies=studies, responses=responses,
        endpoints="endpoint,label,kind,direction\n" + "".join(f"{key},{_label(key)},rate,benefit\n" for key in KEYS),
        subsets="subset,label,column,value\nlate,The late ones,year,>=2012\nab,Named like a tier,year,>=2011\n"))
    results = exact_results(evidence, variants=2,
                            without=("methods", "missing", "models", "regression", "subsets"))
    pictures, files = reporting.drawn(results, folder / "figures")
    pages = reporting.pages_of(results, pictures)
    return results, files, "".join(pages.values()), pages


def test_each_endpoint_has_files_of_its_own(drawn):
    _, files, _, _ = drawn
    names = [path.name.casefold() for path in files]
    assert len(set(names)) == len(names)
    assert {f"{kind}.{key}.svg" for kind in ("forest", "sensitivity") for key in KEYS} | {"funnel.svg", "baujat.svg"} \
        <= set(names)


def test_each_section_shows_its_own_figures(drawn):
    for key in KEYS:
        section = drawn[3][f"details/endpoint-{key}.html"]
        pictures = [(base64.b64decode(data).decode(), alt) for data, alt in re.findall(
            r'<img src="data:image/svg\+xml;base64,([^"]*)" alt="([^"]*)"', section)]
        assert len(pictures) == 2, "the forest plot and the sensitivity"
        for svg, alt in pictures:
            title = re.findall(r">(Label of [^<]*)<", svg)
            assert title[0].strip() == _label(key) and _label(key) + ":" in alt
        # The first study's count is what sets the endpoints apart.
        assert f">{SIZES[0] // 2 + KEYS.index(key)}/{SIZES[0]}<" in pictures[0][0]


def test_the_figures_of_all_endpoints_are_not_one_endpoints(drawn):
    for name, title in (("influence", "Influence and surprise"), ("small_studies", "Predictive funnels")):
        (data,) = re.findall(r'<img src="[^"]*base64,([^"]*)"', drawn[3][f"details/{name}.html"])
        assert title in base64.b64decode(data).decode()


def test_anchors_are_unique_and_links_lead_to_them(drawn):
    pages = {name: Page(text) for name, text in drawn[3].items()}
    for page in pages.values():
        assert len(page.ids) == len(set(page.ids)) and not page.unbalanced
        targets = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
        assert targets <= set(page.ids)
    led = {value for _, name, value in pages["report.html"].attributes if name == "href"}
    assert {f"details/endpoint-{key}.html" for key in KEYS} <= led & set(pages)


def test_a_subset_and_an_endpoint_of_one_key_keep_their_labels(drawn):
    _, files, page, _ = drawn
    (funnel,) = [path.read_text("utf-8") for path in files if path.name == "funnel.svg"]
    assert _label("late") in " ".join(re.findall(r">([^<]+)</text>", funnel))
    assert "The late ones" in page and "Named like a tier" in page


@pytest.mark.parametrize("key", ["one", "two", "every", "is", "base"])
def test_a_key_that_is_a_word_is_not_replaced_within_a_sentence(drawn, key):
    results = drawn[0]
    endpoint = replace(results.evidence.endpoints[0], endpoint=key, label="LABEL")
    for note in ("one study: nothing is pooled, and the heterogeneity is the prior's",
                 "two studies: the heterogeneity is prior-dominated", "every patient had the event: how far"):
        assert _named(results, endpoint, note) == note
    assert _named(results, endpoint, f"s0: the base of {key} is evaluable, n = 9") == \
        "Study 0: the base of LABEL is evaluable, n = 9"
    assert _named(results, endpoint, f"{key} mixes the definitions a, b") == "LABEL mixes the definitions a, b"
