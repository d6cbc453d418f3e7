"""The sections on what each conclusion hangs on: single studies, subsets, and the size of the studies."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.pipeline import Results
from analysis.report import facts
from analysis.report.html import Html, folded, paragraphs, section, table
from analysis.wording import MINUS, counted, level_text, number, percent, signed, with_interval

Row = Mapping[str, Any]

_FEW = 3
_UNRELIABLE = 0.7  # Pareto k above which importance sampling is not trusted
_EXTREME = 1000.0
_SEPARATED = (" A ratio that extreme means that the sizes nearly separate the studies with and without events, and "
              "then neither p-value can be relied on.")


def influence_section(results: Results, picture: Html) -> Html:
    """Which study each estimate hangs on, and which ones the others would not have predicted."""
    rows = results.side_rows("influence.csv")
    computed = [row for row in rows if row["status"] == "computed"]
    return section("influence", "Which study each estimate hangs on",
                   paragraphs([*_named(results, computed), *_largest(results, computed), *_pareto(computed),
                               *_refused(results, rows)]), picture if computed else "",
                   folded("Every study left out", _left_out_table(results, computed)))


def subsets_section(results: Results) -> Html:
    """Each subset against its complement."""
    rows = results.side_rows("subset_differences.csv")
    computed = [row for row in rows if row["status"] == "computed"]
    return section("subset-differences", "Do the subsets differ?",
                   paragraphs([*_differing(results, computed), *_dominated(computed), *_one_sided(rows)]),
                   folded("Every subset against its complement", _subset_table(results, rows)))


def small_studies_section(results: Results, picture: Html) -> Html:
    """Whether small studies tell another story than large ones."""
    rows = results.side_rows("small_studies.csv")
    found = [row for row in rows if row["part"] == "regression"]
    computed = [row for row in found if row["status"] == "computed"]
    drawn = any(row["part"] == "limit" for row in rows)
    return section("small-studies", "Do small studies tell another story?",
                   paragraphs([*_slopes(results, computed), *_refused_slopes(results, found), *_caveats(computed)]),
                   picture if drawn else "",
                   folded("Regressions on the size of the studies", _slope_table(results, found)),
                   folded("Every study against its prediction", _prediction_table(results, rows)))


def _label(results: Results, row: Row) -> str:
    return facts.endpoint_label(results, row["endpoint"])


def _main(row: Row) -> str:
    return "mean rate" if row["time_months"] is None else f"survival at {row['time_months']:g} months"


def _probability(value: float | None) -> str:
    if value is None:
        return number(None, "")
    return "<0.001" if value < 0.001 else f"{value:.2g}"


def _decimal(value: float | None, digits: str) -> str:
    return number(None, "") if value is None else format(value, digits).replace("-", MINUS)


def _named(results: Results, rows: Sequence[Row]) -> list[str]:
    """Each surprising study in a sentence, then how many chance would name."""
    if not rows:
        return []
    named = [row for row in rows if row["named"]]
    notes = [f"{_label(results, row)}: {row['label']} is surprising to the other {row['k_studies'] - 1}, with a "
             f"two-sided predictive probability of {_probability(row['two_sided'])}. Without it the {_main(row)} is "
             f"{with_interval(row, 'proportion')} % instead of {percent(row['full_median'])} %, and "
             f"{row['heterogeneity']} {row['heterogeneity_median']:.2f} instead of {row['full_heterogeneity']:.2f}."
             for row in named]
    expected = sum(row["chance_named"] for row in rows)
    notes.append(f"A study is named where that probability is below 0.05. Of {counted(len(rows), 'prediction')} over "
                 f"{counted(len({row['endpoint'] for row in rows}), 'endpoint')}, {len(named)} "
                 f"{'is' if len(named) == 1 else 'are'} named; by chance about {expected:.1f} would be, from studies "
                 f"that the model describes. Counts are discrete, so that it is less than one in twenty; the endpoints "
                 f"share patients and are not independent.")
    return notes


def _largest(results: Results, rows: Sequence[Row]) -> list[str]:
    """The largest shift over endpoints with studies enough."""
    enough = [row for row in rows if row["k_studies"] >= _FEW]
    if not enough:
        return []
    by_size = max(enough, key=lambda row: abs(row["shift_sd"]))
    moved = {row["endpoint"] for row in enough if abs(row["shift_sd"]) >= 0.5}
    endpoints = len({row["endpoint"] for row in enough})
    return [f"The largest shift is that of {_label(results, by_size)} without {by_size['label']}: "
            f"{signed(by_size['shift'], 'proportion')} points, {abs(by_size['shift_sd']):.1f} posterior standard "
            f"deviations. In {len(moved)} of {counted(endpoints, 'endpoint')} with at least {_FEW} studies some study "
            f"moves the median by half a standard deviation or more."]


def _pareto(rows: Sequence[Row]) -> list[str]:
    shapes = [row["pareto_k"] for row in rows if row["pareto_k"] is not None]
    if not shapes:
        return []
    above = sum(shape > _UNRELIABLE for shape in shapes)
    return [f"Pareto k of importance sampling on the marginal likelihood, with the study's own effect integrated out, "
            f"is at most {max(shapes):.2f}; {above} of {len(shapes)} are above {_UNRELIABLE:g}. Every line is an exact "
            f"refit, so that a k above {_UNRELIABLE:g} would need nothing further."]


def _refused(results: Results, rows: Sequence[Row]) -> list[str]:
    refused = {row["endpoint"]: row for row in rows if row["status"] != "computed"}
    return [f"{_label(results, row)}: not computed, {row['reason']}." for row in refused.values()]


def _left_out_table(results: Results, rows: Sequence[Row]) -> Html:
    heads = ("Endpoint", "Without", "Patients", f"Estimate, % [{level_text(results.base.level)} credible]",
             "Shift, points", "Shift, SD", "Heterogeneity", "Predictive mid-p", "Two-sided", "Surprise, bits",
             "Learned, bits", "Pareto k", "Note")
    cells = [(_label(results, row), row["label"], f"{row['n']:,}", with_interval(row, "proportion"),
              signed(row["shift"], "proportion"), _decimal(row["shift_sd"], "+.2f"),
              f"{row['heterogeneity']} {row['heterogeneity_median']:.2f} ({row['full_heterogeneity']:.2f} with)",
              f"{row['pit']:.3f}", _probability(row["two_sided"]), f"{row['surprise_bits']:.1f}",
              f"{row['information_bits']:.2f}", _decimal(row["pareto_k"], ".2f"), row["reason"]) for row in rows]
    return table("Each study left out: the estimate without it, and how the others predict it", heads, cells, left=2,
                 marked=["outside" if row["named"] else None for row in rows])


def _worded(row: Row, name: str = "") -> str:
    if row[f"{name}median"] is None:
        return number(None, "")
    return with_interval({limit: row[f"{name}{limit}"] for limit in ("median", "lower", "upper")}, "proportion")


def _points(row: Row) -> str:
    values = (signed(row[name], "proportion") for name in ("difference", "difference_lower", "difference_upper"))
    return "{} [{}, {}]".format(*values)


def _differing(results: Results, rows: Sequence[Row]) -> list[str]:
    """The differences whose interval excludes none, and how many there are in all."""
    if not rows:
        return []
    apart = [row for row in rows if row["difference_lower"] * row["difference_upper"] > 0.0]
    notes = [f"{_label(results, row)}, {facts.subset_label(results, row['subset'])}: {_points(row)} points against the "
             f"other studies ({row['subset_k']} against {row['rest_k']}); the probability that it is larger there is "
             f"{_probability(row['positive'])}." for row in apart]
    level = level_text(rows[0]["level"])
    notes.append(f"Of {counted(len(rows), 'difference')} between a subset and its complement, {len(apart)} "
                 f"{'has' if len(apart) == 1 else 'have'} a {level} credible interval without zero. They are "
                 f"differences between studies, not effects of what defines the subset.")
    closest = max(rows, key=lambda row: abs(row["positive"] - 0.5))
    if closest not in apart:
        notes.append(f"The clearest is {_label(results, closest)}, {facts.subset_label(results, closest['subset'])}: "
                     f"{_points(closest)} points, with probability {_probability(closest['positive'])} of being "
                     f"positive{'; ' + closest['note'] if closest['note'] else ''}.")
    return notes


def _dominated(rows: Sequence[Row]) -> list[str]:
    few = [row for row in rows if min(row["subset_k"], row["rest_k"]) < _FEW]
    return [f"In {len(few)} of them one side has fewer than {_FEW} studies: its heterogeneity, and with it much of the "
            f"width, is the prior's."] if few else []


def _one_sided(rows: Sequence[Row]) -> list[str]:
    missing = [row for row in rows if row["status"] != "computed"]
    return [f"{counted(len(missing), 'further comparison')} cannot be made; the table says why."] if missing else []


def _subset_table(results: Results, rows: Sequence[Row]) -> Html:
    level = level_text(results.base.level)
    heads = ("Endpoint", "Subset", "Rule", "Studies / patients in it", f"In it, % [{level} credible]",
             "Studies / patients outside", f"Outside, % [{level} credible]", f"Difference, points [{level} credible]",
             "P(difference > 0)", "Note")
    cells = [(_label(results, row), facts.subset_label(results, row["subset"]), row["rule"],
              f"{row['subset_k']} / {row['subset_n']:,}", _worded(row, "subset_"),
              f"{row['rest_k']} / {row['rest_n']:,}", _worded(row, "rest_"),
              _points(row) if row["status"] == "computed" else row["reason"], _probability(row["positive"]),
              row["note"]) for row in rows]
    return table("Each subset, its complement and their difference, from separate fits", heads, cells, left=3)


def _is_extreme(ratio: float) -> bool:
    return ratio >= _EXTREME or ratio <= 1.0 / _EXTREME


def _ratio(row: Row, name: str = "ratio") -> str:
    value = row[name]
    if _is_extreme(value):
        return f">{_EXTREME:g}" if value > 1.0 else f"<{1.0 / _EXTREME:g}"
    return f"{value:.2g}"


def _slopes(results: Results, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    small = [row for row in rows if row["slope_two_sided"] < 0.05]
    notes = [f"{_label(results, row)}: the {'hazard' if row['time_months'] else 'odds'} of a study of 10 patients over "
             f"that of one of 40 is {_ratio(row)} [{_ratio(row, 'ratio_lower')}, {_ratio(row, 'ratio_upper')}], "
             f"p = {_probability(row['slope_two_sided'])} by the normal and "
             f"{_probability(row['slope_two_sided_t'])} by the t distribution, from {row['k_studies']} studies."
             f"{_SEPARATED if _is_extreme(row['ratio']) else ''}" for row in small]
    return [*notes, f"Of {counted(len(rows), 'regression')} of the logit mean rate, or the log hazard, on 1/√n, "
                    f"{len(small)} {'has' if len(small) == 1 else 'have'} a slope with p below 0.05; without any "
                    f"small-study effect {0.05 * len(rows):.1g} would."]


def _refused_slopes(results: Results, rows: Sequence[Row]) -> list[str]:
    refused = [f"{_label(results, row)} ({row['reason']})" for row in rows if row["status"] != "computed"]
    return [f"No regression: {'; '.join(refused)}."] if refused else []


def _caveats(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    power = [row["detectable_ratio"] for row in rows]
    return [f"That says little: only ratios of {min(power):.1f} (in the best case) to "
            f"{'more than 1000' if max(power) > _EXTREME else f'{max(power):.1f}'} would be found four times in five.",
            "A small-study effect is not publication bias: small trials differ in patients, products and years. "
            "Nor does its absence speak against unpublished trials.",
            "Egger's test stands in the table for comparison only. It regresses a proportion on a standard error that "
            "is made of the proportion, and near 0 and 100 % it rejects honest data far too often."]


def _slope_table(results: Results, rows: Sequence[Row]) -> Html:
    heads = ("Endpoint", "Studies", "Slope per 1/√n", "SE", "p, normal", "p, t", "Ratio, 10 against 40 patients",
             "Ratio found 4 times in 5", "p, Egger (not level)", "Note")
    cells = []
    for row in rows:
        if row["status"] != "computed":
            cells.append((_label(results, row), row["k_studies"], *[number(None, "")] * 7, row["reason"]))
            continue
        cells.append((_label(results, row), row["k_studies"], _decimal(row["slope"], ".2f"), f"{row['slope_se']:.2f}",
                      _probability(row["slope_two_sided"]), _probability(row["slope_two_sided_t"]),
                      f"{_ratio(row)} [{_ratio(row, 'ratio_lower')}, {_ratio(row, 'ratio_upper')}]",
                      _ratio(row, "detectable_ratio"), _probability(row["egger_two_sided"]), ""))
    return table("Logit mean rate or log hazard on 1/√n, with confidence limits", heads, cells)


def _prediction_table(results: Results, rows: Sequence[Row]) -> Html:
    heads = ("Endpoint", "Study", "Patients", "Observed, %", "Predictive mid-p", "z")
    cells = [(_label(results, row), row["label"], f"{row['n']:,}", percent(row["observed"]), f"{row['pit']:.3f}",
              _decimal(row["z"], "+.2f")) for row in rows if row["part"] == "study"]
    return table("Each study under the prediction of the others; for survival the mid-p is that of the hazard", heads,
                 cells, left=2)
