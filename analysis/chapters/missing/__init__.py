"""What the studies without a number could change; the words are in section.html."""

from collections.abc import Iterator, Sequence

from analysis.chapters.chapter import Chapter, Page, Picture, each_endpoint
from analysis.chapters.missing.figure import MAX_ENDPOINTS, bounded_endpoints, draw_missing
from analysis.chapters.missing.rows import HEADLINE, MISSING_BOUNDS, PUBLISHED_TOTALS, missing_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.numbers import counted, joint, number, out_of
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.system.groups import grouped

_BOUNDS = {"headline": "headline", "published": "published", "extreme_low": "missing studies: no event",
           "extreme_high": "missing studies: every patient", "each_low": "each missing study at its lower limit",
           "each_high": "each missing study at its upper limit", "joint_low": "their sum at its lower limit",
           "joint_high": "their sum at its upper limit", "total_even": "the total spread evenly",
           "total_in_largest": "the total in the largest studies",
           "total_in_smallest": "the total in the smallest studies"}

_FIRST = ("extreme_low", "extreme_high")


def _figures(results: Results) -> Iterator[Picture]:
    bounds = results.frame(MISSING_BOUNDS)
    if drawn := bounded_endpoints(bounds)[:MAX_ENDPOINTS]:
        headlines = [row for row in results.rows(MISSING_BOUNDS.file)
                     if row["endpoint"] in drawn and row["bound"] == HEADLINE]
        yield Picture("missing", draw_missing, {
            "bounds": bounds, "totals": results.frame(PUBLISHED_TOTALS), "labels": results.labels},
            f"Headline interval of {counted(len(drawn), 'rate')} beside intervals with likely and with extreme results "
            "of the studies without a number, with the published total, and as published. Headline: "
            f"{results.told(MISSING_BOUNDS, headlines, 'median')}.")


def _section(results: Results, page: Page) -> Html:
    """How far the answer depends on studies without a number; a sensitivity analysis, not the headline."""
    totals, bounds = results.rows(PUBLISHED_TOTALS.file), results.rows(MISSING_BOUNDS.file)
    if not totals and not bounds:
        return Html("")
    computed = [row for row in totals if row["median"] is not None]
    return section("missing", "What the missing studies could change", rendered(
        "chapters/missing/section.html", picture=page.picture("missing"), expected=_expected,
        write=results.writer(PUBLISHED_TOTALS), totals=_totals(results, totals), bounds=_bounds(results, bounds),
        whole=[row for row in computed if row["missing_k"] and not row["absent"] and not row["base_gap"]],
        guessed=grouped((row for row in computed if row["absent"]),
                        lambda row: (row["endpoint"], row["total_events"], row["total_n"])).values()))


def _expected(row: Row) -> str | None:
    """Expected events with the limits of their prediction: whole, unless they are few."""
    values = (row["expected_events"], row["events_lower"], row["events_upper"])
    return None if None in values else "{} [{}, {}]".format(*joint(values, "events", least=0))


def _words(scenario: str) -> str:
    return scenario.replace("_", " ")


def _status(row: Row) -> str | None:
    return row["status"] if row["median"] is None else None


def _notes(row: Row) -> str:
    return "; ".join(filter(None, [row["reason"], row["note"]]))


def _totals(results: Results, rows: Sequence[Row]) -> Html:
    return show(
        results.writer(PUBLISHED_TOTALS, missing=""), rows, "endpoint scenario absent missing_events expected_events "
        "probability mid_p known_median median note", heads={"median": "With it{unit} [{level} credible]"},
        caption="Predictive probability of each published total, and the mean rate that uses it",
        cells={"scenario": lambda row: f"{_words(row['scenario'])} {out_of(row['total_events'], row['total_n'])}",
               "absent": lambda row: ", ".join(map(results.labels.studies.get, row["absent"].split())),
               "expected_events": _expected, "median": _status, "note": _notes})


def _bounds(results: Results, rows: Sequence[Row]) -> Html:
    return show(
        results.writer(MISSING_BOUNDS, missing=""), rows, "endpoint bound known_k missing_k missing_events median "
        "level note", caption="The mean rate under what the studies without a number can have shown",
        cells={"bound": lambda row: _BOUNDS[row["bound"]] + (
                   f" ({_words(row['scenario'])})" if row["scenario"] else ""),
               "median": _status, "note": _notes})


def _brief(results: Results, page: Page) -> Html:
    """The endpoint that most studies are silent on among those that lead, with its published total or its bounds."""
    rows = [row for row in results.rows(MISSING_BOUNDS.file) if row["median"] is not None]
    silent = [row for row in rows if row["missing_k"] and row["bound"] == HEADLINE]
    if not silent:
        return Html("")
    first = silent[0]
    totals = list(_with_totals(results, first["endpoint"]))
    return rendered(
        "chapters/missing/brief.html", write=results.writer(MISSING_BOUNDS), first=first, totals=totals,
        more=len(silent) - 1, others=[] if totals else [
            row for row in rows if row["endpoint"] == first["endpoint"] and row["bound"] in _FIRST])


def _with_totals(results: Results, endpoint: str) -> Iterator[tuple[str, str]]:
    """Each published total of an endpoint, and the mean rate that uses it; the range over its readings."""
    write = results.writer(PUBLISHED_TOTALS)
    readings = [row for row in results.computed(PUBLISHED_TOTALS.file) if row["endpoint"] == endpoint]
    for total, rows in grouped(readings, lambda row: out_of(row["total_events"], row["total_n"])).items():
        unit, medians = write.scale(rows[0]), [row["median"] for row in rows]
        yield total, write(rows[0]) if len(rows) == 1 else " ".join((number(
            min(medians), "proportion", unit), "to", number(max(medians), "proportion", unit), unit.unit))


CHAPTER = Chapter("missing", 50, (PUBLISHED_TOTALS, MISSING_BOUNDS),
                  each_endpoint("missing studies", missing_rows, kind="rate"), figures=_figures, section=_section,
                  parts=("missing studies", "figure missing"), brief=_brief)
