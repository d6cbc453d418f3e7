"""Every table of the page: each number equals its cell in the CSV to the digits printed, under the right head.

`captions` says by caption which rows of which file a table shows, and `columns` by head what each cell shows of them. A
table or a head without an entry fails, so that nothing new goes unread.
"""

import re

from tests.report.reading import whole
from tests.seen.captions import endpoint_of, expected
from tests.seen.cells import LABELS, Check
from tests.seen.checking import chosen, limits, numbers, says, scale_of, single, value
from tests.seen.columns import METHODS, SHARED
from tests.seen.facts import ENDPOINTS, SUBSET_LABELS


def _checks(spec: dict[str, Check], heads: list[str]) -> list[tuple[str, Check]]:
    """The check of each column: the longest entry with which its head begins; a second one has its own."""
    checks, spec = [], SHARED | spec
    for at, head in enumerate(heads):
        before = heads[:at].count(head)
        names = [f"{head} {before + 1}"] if before else sorted(filter(head.startswith, spec), key=len, reverse=True)
        assert names and names[0] in spec, f"no check for the column {head!r}"
        checks.append((head, spec[names[0]]))
    return checks


SEEN_ELSEWHERE = ("Models and priors", "Worst value over", "What this page was computed from")


def test_every_number_is_its_cell(seen, page):
    looked_at = 0
    for heading, caption, (heads, *rows) in page.every:
        found = expected(seen, heading, caption) or _by_methods(seen, caption)
        if found is None:
            assert caption.startswith(SEEN_ELSEWHERE) or "posterior medians [intervals] by subset" in caption, caption
            continue
        spec, wanted = found
        assert len(rows) == len(wanted), (caption, len(rows), len(wanted))
        columns = _checks(spec, heads)
        for cells, row in zip(rows, wanted, strict=True):
            for (head, check), cell in zip(columns, cells, strict=True):
                assert check(head, cell, row), f"{caption}: {head}: {cell!r} beside {row}"
        looked_at += 1
    # Nothing of it has gone: by endpoint 6 tables, 4 of methods more, and those for all endpoints together.
    assert looked_at >= 36, looked_at


def _by_methods(seen, caption: str):
    """One table of frequentist methods for each endpoint and subset, on the scale of a probability."""
    for endpoint, one in LABELS.items():
        for subset, words_ in SUBSET_LABELS.items():
            if caption.startswith(f"{one}, {words_}: "):
                rows = chosen(seen.tables["frequentist.csv"], endpoint=endpoint, subset=subset, scale="probability")
                assert numbers(caption.rpartition(": ")[2]) == [value(rows[0]["k_studies"])]
                return METHODS, rows
    return None


def test_estimands_by_subset(seen, page):
    """Columns are subsets: each cell is that of its own subset, estimand and time."""
    from analysis.inference.estimands import LABELS as ESTIMANDS

    by_label = {label_: name for name, label_ in ESTIMANDS.items()}
    tables = [one for one in page.every if "posterior medians [intervals] by subset" in one[1]]
    assert len(tables) == len(ENDPOINTS)
    for heading, caption, (heads, *rows) in tables:
        endpoint = endpoint_of(heading)
        assert caption.startswith(heading)
        for cells in rows:
            name, _, time = cells[0].rpartition(", ") if re.search(r", \d+ months$", cells[0]) else (cells[0], "", "")
            for at, subset in enumerate(SUBSET_LABELS, 3):
                row = single([one for one in seen.tables["estimates.csv"] if one["model"] != "logit_normal"],
                             endpoint=endpoint, subset=subset, tiers="AB", early_landmarks="true", study_id="",
                             estimand=by_label[name], time_months=time.removesuffix(" months"))
                scale = scale_of(cells[2], 1.0)
                assert says(cells[at], *limits(row), scale=scale), (cells, row)
                assert (heads[at].startswith(SUBSET_LABELS[subset])
                        and f"{row['k_studies']} / {row['n_patients']}" in heads[at])
                assert cells[1] == f"95 % {row['interval']}"


CURVE_PRIORS = {
    "exponential": "eta12 ~ Normal(-0.366513, 1); tau ~ HalfNormal(0.5)",
    "weibull": "eta12 ~ Normal(-0.366513, 1); tau ~ HalfNormal(0.5); shape ~ LogNormal(0, 0.5)",
    "mixture_cure": "eta12 ~ Normal(-0.366513, 1); tau ~ HalfNormal(0.5); cured ~ Beta(1, 2)"}


def test_diagnostics_and_models(seen, page):
    diagnostics = {caption: rows for _, caption, rows in page.every}
    heads, *rows = diagnostics["Worst value over all reported quantities of each fit"]
    assert len(rows) == len(seen.tables["diagnostics.csv"])
    columns = {"R-hat": "max_rhat", "Bulk ESS": "min_ess_bulk", "Tail ESS": "min_ess_tail",
               "Divergences": "divergences", "E-BFMI": "min_bfmi", "MCSE mean / SD": "max_mcse_mean",
               "MCSE limit / SD": "max_mcse_limit", "same, heterogeneity": "max_mcse_limit_heterogeneity",
               "Seed": "seed"}
    for cells, row in zip(rows, seen.tables["diagnostics.csv"], strict=True):
        own = dict(zip(heads, cells, strict=True))
        assert LABELS[row["endpoint"]] in cells[0] and SUBSET_LABELS[row["subset"]] in cells[0]
        assert own["Status"] == row["status"] and own["Chains x draws"] == f"{row['chains']} x {row['draws']}"
        assert all(says(own[head], value(row[column])) or own[head] == "nan" for head, column in columns.items()), row
    heads, *rows = diagnostics["Models and priors"]
    used = [(one["model"], "; ".join(f"{name} ~ {prior}" for name, prior in one["priors"].items()))
            for one in seen.run["fits"]]
    curves = {(row["model"], row["endpoint"], row["subset"]) for row in seen.tables["survival_curves.csv"]
              if row["model"] != "log_hazard"}
    used += [(name, CURVE_PRIORS[name]) for name, *_ in curves]
    assert {(row[0].replace("-", "_"), row[3]): int(row[4]) for row in rows} == {
        one: used.count(one) for one in set(used)
    }


def test_marked_rows_are_those_outside(seen):
    source = whole(seen.folder)
    outside = [row["reported_id"] for row in seen.tables["comparison.csv"] if row["model"]
               and not value(row["lower"]) <= value(row["published"]) <= value(row["upper"])]
    marked = [re.findall(r"<td[^>]*>(R\d+)</td></tr>", row)
              for row in re.findall(r'<tr class="outside">.*?</tr>', source)]
    assert sorted(one for row in marked for one in row) == sorted(outside)
