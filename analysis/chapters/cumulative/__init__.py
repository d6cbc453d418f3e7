"""How each estimate came about year by year, and whether each study was expected; the words are in section.html."""

from collections.abc import Iterator

from analysis.chapters.chapter import Chapter, Page, Picture, each_endpoint
from analysis.chapters.cumulative.figure import MAX_ENDPOINTS, draw_cumulative
from analysis.chapters.cumulative.rows import CUMULATIVE, CUMULATIVE_STUDIES, cumulative_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.results import Results


def _figures(results: Results) -> Iterator[Picture]:
    if rows := results.computed(CUMULATIVE.file):
        last = list({row["endpoint"]: row for row in rows}.values())[:MAX_ENDPOINTS]
        yield Picture("cumulative", draw_cumulative, {"frame": results.tables[CUMULATIVE.file].frame,
                                                      "labels": results.labels},
                      f"Estimates of {len(last)} endpoints from the studies up to each year, no trend over time. "
                      f"With all studies: {results.told(CUMULATIVE, last, 'median')}.")


def _section(results: Results, page: Page) -> Html:
    """Every year's estimate contains those before it: a change is what new studies add, not a trend."""
    years, studies = results.rows(CUMULATIVE.file), results.computed(CUMULATIVE_STUDIES.file)
    if not years:
        return Html("")
    write = results.writer(CUMULATIVE_STUDIES)
    return section("cumulative", "Was each study expected from those before it?", rendered(
        "chapters/cumulative/section.html", write=write, studies=studies, picture=page.picture("cumulative"),
        named=[row for row in studies if row["named"]], below=NAMED_BELOW,
        years=show(results.writer(CUMULATIVE), years, "endpoint year added k_studies median reason",
                   caption="The headline from the studies up to each year"),
        predicted=show(write, results.rows(CUMULATIVE_STUDIES.file) if studies else (), "endpoint year label report "
                       "before observed median pit two_sided reason", heads={"year": "Year"},
                       caption="Each study predicted from those before it",
                       marked=lambda row: "outside" if row["named"] else None)))


CHAPTER = Chapter("cumulative", 72, (CUMULATIVE, CUMULATIVE_STUDIES),
                  each_endpoint("cumulative estimates", cumulative_rows), figures=_figures, section=_section,
                  parts=("cumulative estimates", "figure cumulative"))
