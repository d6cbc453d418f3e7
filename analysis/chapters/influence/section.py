"""The sections on what each conclusion hangs on: single studies, subsets, and the size of the studies."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.drawing.html import Html, folded, paragraphs, section, table
from analysis.results import facts
from analysis.results.numbers import (
    PERCENT,
    RATIO,
    chance,
    counted,
    fixed,
    interval_text,
    joint,
    level_text,
    number,
    signed,
    significant,
)
from analysis.results.results import Results

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


def _with_sign(value: float | None) -> str:
    return number(None, "") if value is None else signed(value, "")


def _heterogeneity(row: Row) -> tuple[str, str]:
    """Without and with the study, with decimals that tell them apart."""
    without, full = joint((row["heterogeneity_median"], row["full_heterogeneity"]), "")
    return without, full


def _named(results: Results, rows: Sequence[Row]) -> list[str]:
    """Each surprising study in a sentence, then how many chance would name."""
    if not rows:
        return []
    named = [row for row in rows if row["named"]]
    notes = [f"{_label(results, row)}: {row['label']} is surprising to the other {row['k_studies'] - 1}, with a "
             f"two-sided predictive probability of {chance(row['two_sided'])}. Without it the {_main(row)} is "
             f"{facts.worded({**row, 'unit': 'proportion'}, results.scale(row['endpoint']))} instead of "
             f"{facts.pooled_text(results, row['endpoint'])}, and "
             f"{row['heterogeneity']} {' instead of '.join(_heterogeneity(row))}."
             for row in named]
    expected = sum(row["chance_named"] for row in rows)
    endpoints = len({row["endpoint"] for row in rows})
    shared = "; the endpoints share patients and are not independent" if endpoints > 1 else ""
    notes.append(f"A study is named where that probability is below 0.05. Of {counted(len(rows), 'prediction')} over "
                 f"{counted(endpoints, 'endpoint')}, {len(named)} "
                 f"{'is' if len(named) == 1 else 'are'} named; by chance about {significant(expected)} would be, "
                 f"from studies that the model describes. Counts are discrete, so that it is less than one in "
                 f"twenty{shared}.")
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
            f"{_shift(results, by_size)}, {number(abs(by_size['shift_sd']), '')} posterior standard "
            f"deviations. In {len(moved)} of {counted(endpoints, 'endpoint')} with at least {_FEW} studies some study "
            f"moves the median by half a standard deviation or more."]


def _pareto(rows: Sequence[Row]) -> list[str]:
    shapes = [row["pareto_k"] for row in rows if row["pareto_k"] is not None]
    if not shapes:
        return []
    above = sum(shape > _UNRELIABLE for shape in shapes)
    return [f"Pareto k of importance sampling on the marginal likelihood, with the study's own effect integrated out, "
            f"is at most {number(max(shapes), '')}; {above} of {len(shapes)} are above {_UNRELIABLE:g}. Every line is "
            f"an exact refit, so that a k above {_UNRELIABLE:g} would need nothing further."]


def _refused(results: Results, rows: Sequence[Row]) -> list[str]:
    refused = {row["endpoint"]: row for row in rows if row["status"] != "computed"}
    return [f"{_label(results, row)}: not computed, {row['reason']}." for row in refused.values()]


def _left_out_table(results: Results, rows: Sequence[Row]) -> Html:
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Without", "Patients",
             rates.head("Estimate", f"{level_text(results.base.level)} credible"), rates.head_of_change("Shift"),
             "Shift, SD", "Heterogeneity", "Predictive mid-p", "Two-sided", "Surprise, bits",
             "Learned, bits", "Pareto k", "Note")
    cells = [(_label(results, row), row["label"], f"{row['n']:,}", rates.cell(row["endpoint"], row),
              rates.change(row["endpoint"], row["shift"], facts.limits(row)), _with_sign(row["shift_sd"]),
              "{} {} ({} with)".format(row["heterogeneity"], *_heterogeneity(row)),
              chance(row["pit"]), chance(row["two_sided"]), fixed(row["surprise_bits"], 1),
              number(row["information_bits"], ""), number(row["pareto_k"], ""), row["reason"]) for row in rows]
    return table("Each study left out: the estimate without it, and how the others predict it", heads, cells, left=2,
                 marked=["outside" if row["named"] else None for row in rows])


def _shift(results: Results, row: Row) -> str:
    """A shift with its unit, such as "+2 points"."""
    scale = results.scale(row["endpoint"])
    text = signed(row["shift"], "proportion", scale, like=facts.limits(row))
    return f"{text} {'point' if text[1:] == '1' and scale == PERCENT else scale.points}"


def _worded(rates: facts.Rates, row: Row, name: str) -> str:
    if row[f"{name}median"] is None:
        return number(None, "")
    return rates.cell(row["endpoint"], dict(zip(("median", "lower", "upper"), facts.limits(row, name), strict=True)))


def _points(results: Results, row: Row, *, unit: bool = True) -> str:
    """A difference with its limits, all with the same decimals."""
    scale = results.scale(row["endpoint"])
    known = [row[name] for name in ("difference", "difference_lower", "difference_upper")]
    text = "{} [{}, {}]".format(*(signed(value, "proportion", scale, like=known) for value in known))
    return f"{text} {scale.points}" if unit else text


def _differing(results: Results, rows: Sequence[Row]) -> list[str]:
    """The differences whose interval excludes none, and how many there are in all."""
    if not rows:
        return []
    apart = [row for row in rows if row["difference_lower"] * row["difference_upper"] > 0.0]
    notes = [f"{_label(results, row)}, {facts.subset_label(results, row['subset'])}: {_points(results, row)} against "
             f"the other studies ({row['subset_k']} against {row['rest_k']}); the probability that it is larger there "
             f"is {chance(row['positive'])}." for row in apart]
    level = level_text(rows[0]["level"])
    notes.append(f"Of {counted(len(rows), 'difference')} between a subset and its complement, {len(apart)} "
                 f"{'has' if len(apart) == 1 else 'have'} a {level} credible interval without zero. They are "
                 f"differences between studies, not effects of what defines the subset.")
    closest = max(rows, key=lambda row: abs(row["positive"] - 0.5))
    if closest not in apart:
        notes.append(f"The clearest is {_label(results, closest)}, {facts.subset_label(results, closest['subset'])}: "
                     f"{_points(results, closest)}, with probability {chance(closest['positive'])} of being "
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
    level, rates = level_text(results.base.level), facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Subset", "Rule", "Studies / patients in it", rates.head("In it", f"{level} credible"),
             "Studies / patients outside", rates.head("Outside", f"{level} credible"),
             rates.head_of_change("Difference", f"{level} credible"),
             "P(difference > 0)", "Note")
    cells = [(_label(results, row), facts.subset_label(results, row["subset"]), row["rule"],
              f"{row['subset_k']} / {row['subset_n']:,}", _worded(rates, row, "subset_"),
              f"{row['rest_k']} / {row['rest_n']:,}", _worded(rates, row, "rest_"),
              _points(results, row, unit=not rates.shared) if row["status"] == "computed" else row["reason"],
              chance(row["positive"]),
              row["note"]) for row in rows]
    return table("Each subset, its complement and their difference, from separate fits", heads, cells, left=3)


def _is_extreme(ratio: float) -> bool:
    return ratio >= _EXTREME or ratio <= 1.0 / _EXTREME


def _ratio(row: Row) -> str:
    return interval_text(row["ratio"], row["ratio_lower"], row["ratio_upper"], RATIO)


def _slopes(results: Results, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    small = [row for row in rows if row["slope_two_sided"] < 0.05]
    notes = [f"{_label(results, row)}: the {'hazard' if row['time_months'] else 'odds'} of a study of 10 patients over "
             f"that of one of 40 is {_ratio(row)}, "
             f"p = {chance(row['slope_two_sided'])} by the normal and "
             f"{chance(row['slope_two_sided_t'])} by the t distribution, from {row['k_studies']} studies."
             f"{_SEPARATED if _is_extreme(row['ratio']) else ''}" for row in small]
    return [*notes, f"Of {counted(len(rows), 'regression')} of {_outcome(rows)} on 1/√n, "
                    f"{len(small)} {'has' if len(small) == 1 else 'have'} a slope with p below 0.05; without any "
                    f"small-study effect {significant(0.05 * len(rows))} would."]


def _outcome(rows: Sequence[Row]) -> str:
    """What is regressed on size, by the kinds of the endpoints."""
    survival = {row["time_months"] is not None for row in rows}
    return " or ".join(words for kind, words in ((False, "the logit mean rate"), (True, "the log hazard"))
                       if kind in survival)


def _refused_slopes(results: Results, rows: Sequence[Row]) -> list[str]:
    refused = [f"{_label(results, row)} ({row['reason']})" for row in rows if row["status"] != "computed"]
    return [f"No regression: {'; '.join(refused)}."] if refused else []


def _caveats(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    power = [row["detectable_ratio"] for row in rows]
    low, high = (significant(limit(power)) for limit in (min, max))
    found = f"a ratio of {low}" if low == high else f"ratios of {low} (in the best case) to {high}"
    return [f"That says little: only {found} would be found four times in five.",
            "A small-study effect is not publication bias: small studies differ from large ones in more than their "
            "size. Nor does its absence speak against unpublished studies.",
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
        cells.append((_label(results, row), row["k_studies"], number(row["slope"], ""), number(row["slope_se"], ""),
                      chance(row["slope_two_sided"]), chance(row["slope_two_sided_t"]),
                      _ratio(row), significant(row["detectable_ratio"]), chance(row["egger_two_sided"]), ""))
    outcome = _outcome(rows).replace("the ", "")
    return table(f"{outcome[:1].upper()}{outcome[1:]} on 1/√n, with confidence limits", heads, cells)


def _prediction_table(results: Results, rows: Sequence[Row]) -> Html:
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Study", "Patients", rates.head("Observed"), "Predictive mid-p", "z")
    cells = [(_label(results, row), row["label"], f"{row['n']:,}", rates.one(row["endpoint"], row["observed"]),
              chance(row["pit"]), _with_sign(row["z"])) for row in rows if row["part"] == "study"]
    survival = any(row["time_months"] is not None for row in rows)
    return table("Each study under the prediction of the others"
                 + ("; for survival the mid-p is that of the hazard" if survival else ""), heads, cells, left=2)
