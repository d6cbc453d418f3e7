"""The values of the section on what limits the answer; its words are in section.html."""

from collections.abc import Iterator
from typing import Any

from analysis.cases.selection import early_before
from analysis.cases.settings import ALL
from analysis.drawing.html import Html, rendered, section, tag
from analysis.results import facts
from analysis.results.results import Results


def caveat_section(results: Results) -> Html:
    """What limits the answer, as far as the results themselves tell."""
    primary = facts.pooled_comparisons(results, primary=True)
    ratios = [pair.width_ratio for pair in results.comparisons
              if pair.width_ratio is not None and pair.reported.primary]
    fewer = {pair.endpoint: pair for pair in primary if (pair.reported.subset or ALL) == ALL
             and (pair.reported.k_studies or 0) > pair.pooled.k_studies}
    headlines = ((endpoint, results.headline(endpoint.endpoint)) for endpoint in facts.fitted_endpoints(results))
    words = rendered(
        "chapters/caveats/section.html", say=facts.Words(results), fewer=list(fewer.values()), failed=results.failed,
        shared=results.comparisons and results.base.question.study_set == "review",
        narrower=sum(ratio < 1.0 for ratio in ratios), ratios=len(ratios),
        few=[endpoint.label for endpoint, record in headlines if record.estimates and record.k_studies <= 2],
        early_fits=list(_early(results)), survival=any(record.conversions for record in results.records))
    return section("caveats", "What limits this answer", tag("ul", words) if words else "")


def _early(results: Results) -> Iterator[dict[str, Any]]:
    """Fits without early landmarks, beside the headline with them."""
    for record in results.records:
        question = record.job.question
        headline = results.headline(question.endpoint, question.subset)
        with_them, without = facts.estimate(headline, "survival"), facts.estimate(record, "survival")
        if not question.early_landmarks and with_them and without:
            scale = results.scale(question.endpoint)
            yield {"endpoint": question.endpoint, "months": f"{early_before(with_them['time_months']):g}",
                   "without": facts.worded(without, scale), "with_them": facts.worded(with_them, scale),
                   "k_without": record.k_studies, "k_with": headline.k_studies}
