"""Rates of 0.0003 and 0.9995, and ratios of any size: digits, units and axes that show them."""

import math
import re

import pytest

from analysis.__main__ import main
from analysis.chapters.endpoints.figure import draw_forest
from analysis.chapters.methods import FREQUENTIST
from analysis.chapters.subsets.rows import SUBSET_DIFFERENCES
from analysis.drawing.axis import WHOLE, labels_for, limits_for, ticks_for
from analysis.results import numbers, terminal
from analysis.results.numbers import PER_HUNDRED_THOUSAND, PER_THOUSAND, PERCENT, RATIO, interval_text, scale_of
from analysis.results.writing import Labels, Writer
from tests.evidence.build import write_evidence
from tests.exactly import exact_results
from tests.report.reading import Page
from tests.reporting import load, page_of, pictures_of

# 47 of 177,413: 26.5 per 100,000.
RARE = ((10, 41000), (12, 52000), (9, 30000), (8, 24413), (5, 20000), (3, 10000))


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rare")
    rows = "".join(f"s{at},rare,{y},{n}\ns{at},common,{n - y},{n}\ns{at},half,{5 + at},20\n"
                   for at, (y, n) in enumerate(RARE))
    return load(write_evidence(
        folder, studies="study_id,label,year\n" + "".join(f"s{at},Study {at},{2000 + at}\n" for at in range(6)),
        endpoints="endpoint,label,kind,direction\nrare,Anaphylaxis,rate,harm\ncommon,Seroconversion,rate,benefit\n"
                  "half,Fever,rate,harm\n", responses=f"study_id,endpoint,events,n\n{rows}"))


@pytest.fixture(scope="module")
def results(evidence):
    return exact_results(evidence, variants=4)


@pytest.fixture(scope="module")
def page(results):
    return Page(page_of(results))


@pytest.mark.parametrize(("values", "unit", "scale", "printed"), [
    # Wide intervals as ever: whole per cents, one digit of months, two of others.
    ((0.7994, 0.7219, 0.8568), "proportion", PERCENT, "80 [72, 86]"),
    ((14.47, 11.39, 18.34), "months", PERCENT, "14.5 [11.4, 18.3]"),
    ((37.5, 10.46, math.inf), "months", PERCENT, "37.5 [10.5, not reached]"),
    ((math.inf, 10.46, math.inf), "months", PERCENT, "not reached [10.5, not reached]"),
    ((0.028, 0.0016, 0.133), "1", PERCENT, "0.028 [0.002, 0.133]"),
    # 0.29 points wide: 2.9 tenths are too few units, 29 hundredths enough.
    ((0.9990, 0.9968, 0.9997), "proportion", PERCENT, "99.90 [99.68, 99.97]"),
    ((0.000265, 0.000195, 0.000352), "proportion", PER_HUNDRED_THOUSAND, "26 [20, 35]"),
    ((0.0052, 0.0031, 0.0081), "proportion", PER_THOUSAND, "5.2 [3.1, 8.1]"),
    ((0.98, 0.91, 0.9996), "proportion", PERCENT, "98 [91, >99]"),
    ((1e-14, 4e-16, 2e-14), "proportion", PERCENT, "1.0e-12 [4.0e-14, 2.0e-12]"),
    # Different numbers look different.
    ((0.004, 0.001, 0.2), "proportion", PERCENT, "0.40 [0.10, 20.00]"),
    ((1.00002, 1.00001, 1.00003), RATIO, PERCENT, "1.000020 [1.000010, 1.000030]"),
    ((140.3, 0.02, 3e30), RATIO, PERCENT, "140 [0.020, >1,000]"),
    ((1.7e-9, 5e-16, 0.5), RATIO, PERCENT, "<0.001 [<0.001, 0.50]"),
    ((1000.0, 0.001, math.inf), RATIO, PERCENT, "1,000 [0.0010, –]"),
    ((4e-5, 1e-9, 0.234), "1", PERCENT, "4.0e-5 [1.0e-9, 0.23]"),
    ((0.5, 0.0012, 210.0), RATIO, PERCENT, "0.50 [0.0012, 210]"),
    # A limit on the bound is the bound.
    ((0.0, 0.0, 0.17), "proportion", PERCENT, "0 [0, 17]"), ((1.0, 0.83, 1.0), "proportion", PERCENT, "100 [83, 100]"),
    # Events over person-time are read like rates.
    ((57.4, 45.08, 73.07), "events per 100 person-years", PERCENT, "57 [45, 73]"),
    ((4.21, 1.13, 9.07), "events per 100 person-years", PERCENT, "4.2 [1.1, 9.1]"),
    ((-0.31, -0.62, 0.004), "", PERCENT, "−0.31 [−0.62, 0.00]")])
def test_an_estimate_and_its_limits_have_the_same_decimals(values, unit, scale, printed):
    assert interval_text(*values, unit, scale) == printed


@pytest.mark.parametrize(("value", "printed"), [(0.9977, "0.998"), (0.37, "0.37"), (1e-9, "<0.001"), (1.0, ">0.999"),
                                                (0.95, "0.95"), (None, "–")])
def test_a_probability_is_never_rounded_to_certainty(value, printed):
    assert numbers.chance(value) == printed


@pytest.mark.parametrize(("limits", "printed"), [
    ((0.28, -0.0012, 0.58), "+28 [−0.1, +58] points"), ((0.28, 0.00012, 0.58), "+28 [+0.01, +58] points"),
    ((0.28, 0.0, 0.58), "+28 [0, +58] points"),
    ((-0.28, -0.58, 1e-9), "−28 [−58, 0] points")])
def test_a_limit_of_a_difference_shows_the_side_of_zero_on_which_it_lies(limits, printed):
    write = Writer(SUBSET_DIFFERENCES, Labels(scales={"cr": PERCENT}))
    row = dict(zip(("difference", "difference_lower", "difference_upper"), limits, strict=True))
    assert write({"endpoint": "cr", **row}, "difference") == printed


@pytest.mark.parametrize(("value", "printed"), [
    (1.3e-10, "rho <0.001"), (2e-14, "rho <0.001"), (0.0123, "rho 0.012"), (0.0006, "rho 0.00060"), (0.0, "rho 0.00")])
def test_heterogeneity_that_is_zero_but_for_rounding_has_no_row_of_zeros(value, printed):
    write = Writer(FREQUENTIST)
    assert write({"heterogeneity_name": "rho", "heterogeneity": value}, "heterogeneity_name") == printed


def test_the_terminal_keeps_three_decimals_or_as_many_as_are_needed():
    assert terminal.with_limits(0.7994, 0.7219, 0.8568, "probability") == "0.799 [0.722, 0.857]"
    assert terminal.with_limits(0.000265, 0.000197, 0.000352, "probability") == "0.00026 [0.00020, 0.00035]"
    assert terminal.with_limits(0.9990, 0.9968, 0.9997, "probability") == "0.9990 [0.9968, 0.9997]"
    assert terminal.with_limits(14.47, 11.39, 18.34, "months") == "14.5 [11.4, 18.3]"
    assert terminal.with_limits(37.5, 10.46, math.inf, "months") == "37.5 [10.5, not reached]"
    assert numbers.with_unit("not reached [10.5, not reached]", "months") == "not reached [10.5, not reached]"
    assert terminal.with_limits(1.23e-5, 1.21e-5, 1.25e-5, "proportion") == "0.00001230 [0.00001210, 0.00001250]"
    assert terminal.with_limits(1e-14, 4e-16, 2e-14, "proportion") == "1.0e-14 [4.0e-16, 2.0e-14]"
    assert terminal.with_limits(2.6e-14, 1e-22, 1.9e-6, "proportion") == "2.6e-14 [1.0e-22, 1.9e-6]"


@pytest.mark.parametrize(("rates", "unit", "printed"), [
    ((0.0021, 0.0017, 0.0027), "per 1,000 person-years", "2.1 [1.7, 2.7]"),
    ((0.0002, 0.00016, 0.00024), "per 100,000 person-years", "20 [16, 24]"),
    ((0.31, 0.17, 0.62), "per 100 person-years", "31 [17, 62]"),
    ((1.7, 1.1, 2.6), "per 100 person-years", "170 [110, 260]")])
@pytest.mark.parametrize("months", [6.0, 12.0, 36.0])
def test_survival_is_read_back_as_the_rate_of_events_that_leads_to_it(rates, unit, printed, months):
    """exp(-rate years) and back; the upper limit of the rate comes from the lower one of survival."""
    middle, low, high = (math.exp(-rate * months / 12.0) for rate in rates)
    scale = scale_of(middle, months)
    assert scale.unit == unit and interval_text(middle, high, low, "proportion", scale) == printed
    # A change of survival from before to after is one of the rate in the other direction.
    assert scale.change(middle - high, middle) == pytest.approx(scale.factor * (rates[0] - rates[2]))
    assert scale.place(1.0) == 0.0 and scale.place(0.0) == math.inf and scale.place(None) is None


def test_the_unit_is_chosen_once_for_an_endpoint(results):
    assert results.labels.scales == {"rare": PER_HUNDRED_THOUSAND, "common": PERCENT, "half": PERCENT}


def test_the_page_reads_rare_events_per_hundred_thousand(results, page):
    row = results.headline("rare").estimates[0]
    shown = interval_text(row["median"], row["lower"], row["upper"], "proportion", PER_HUNDRED_THOUSAND)
    assert shown.startswith("31 [2")
    middle, limits = shown.split(" ", 1)
    assert f"{middle} per 100,000 {limits}" in page.text, "in a table of several units each number has its own"
    rows = page.tables["Anaphylaxis: each study per 100,000"]
    first = {name: value for name, value in zip(rows[0], rows[1], strict=True) if name.startswith("Raw")}
    # 10 of 41,000 are 24.4 per 100,000; Clopper-Pearson 11.7 to 44.9.
    assert list(first.values()) == ["24 [12, 45]"]
    assert not re.search(r"\b0\.000? \[|<1 \[<1, <1\]|>99 \[>99, >99\]|1\.00 \[1\.00, 1\.00\]", page.text)


def test_one_number_has_one_form(results, page):
    """The median and its lower limit, which no heavy tail moves, wherever the headline is printed."""
    half = results.headline("half").estimates[0]
    shown = interval_text(half["median"], half["lower"], half["upper"], "proportion")
    cells = [cell for caption, rows in page.tables.items() for row in rows if row[0] in ("Fever", "All studies",
             "Headline") and "Fever" in caption + row[0] for cell in row if cell.startswith(shown.split(" [")[0] + " ")]
    assert shown in cells or shown.replace(" [", " % [") in cells
    assert page.text.count(shown) + page.text.count(shown.replace(" [", " % [")) >= 4


def test_axes_hold_the_data_and_not_the_whole_range(results):
    forests = {picture.endpoint: picture for picture in pictures_of(results) if picture.kind == "forest"}
    for key, top in (("rare", 0.01), ("half", 1.1)):
        (axes,) = draw_forest(**forests[key].content).axes
        low, high = axes.get_xlim()
        assert high <= top and all(low <= row["raw_lower"] and row["raw_upper"] <= high for row in
                                   forests[key].content["studies"])
        labels = [float(label.get_text()) for label in axes.get_xticklabels()]
        assert labels == pytest.approx([tick * results.labels.scales[key].factor for tick in axes.get_xticks()])
    (axes,) = draw_forest(**forests["common"].content).axes
    assert axes.get_xlim()[0] > 0.9


@pytest.mark.parametrize(("values", "limits"), [
    ((0.1, 0.9), WHOLE), ((0.0, 0.3), WHOLE), ((0.000195, 0.00035), (0, 0.00035)), ((0.9968, 0.9997), (0.9965, 1.0)),
    ((0.45, 0.55), (0.44, 0.56))])
def test_limits_are_round_and_hold_the_values(values, limits):
    assert limits_for(values) == pytest.approx(limits)


@pytest.mark.parametrize("values", [(0.0, 0.0), (1.0, 1.0), (1e-300, 1e-299), (0.5, 0.5 + 1e-12), (0.7, 0.7), (),
                                    (None,)])
def test_any_values_have_an_axis(values):
    low, high = limits_for(values)
    ticks = ticks_for(low, high)
    assert 0.0 <= low < high <= 1.0 and 2 <= len(ticks) <= 6
    labels = labels_for(ticks)
    assert len(set(labels)) == len(labels) and max(map(len, labels)) < 14


def test_fit_prints_rare_events(evidence, capsys):
    assert main(["fit", "rare", "--engine", "exact", "--data", str(evidence.directory)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("mean_rate")]
    numbers = re.findall(r"\d\.\d+", line)
    assert len(set(numbers[1:])) == 3 and all(float(number) > 0.0 for number in numbers)


def test_tables_keep_every_digit(tmp_path):
    from analysis.system.files import write_csv
    write_csv(tmp_path / "a.csv", [{"a": 1.0 / 3.0, "b": 1.0 - 1e-12}], ("a", "b"))
    cells = (tmp_path / "a.csv").read_text().splitlines()[1].split(",")
    assert [float(cell) for cell in cells] == [1.0 / 3.0, 1.0 - 1e-12]


def test_published_survival_that_is_read_as_events_has_its_limits_in_order():
    """-log(0.8), -log(0.9) and -log(0.7) in a year, of 100 person-years."""
    assert numbers.printed_with_interval(0.8, 0.7, 0.9, "probability", scale_of(0.8, 12.0)) == "22 [11, 36]"
