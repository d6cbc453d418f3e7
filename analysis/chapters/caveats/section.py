"""What limits the answer, as far as the results themselves tell."""

from analysis.cases.selection import ALL, early_before
from analysis.drawing.html import Html, paragraphs, section
from analysis.results import facts
from analysis.results.numbers import counted
from analysis.results.results import Results


def caveat_section(results: Results) -> Html:
    """What limits the answer, as far as the results themselves tell."""
    return section("caveats", "What limits this answer", paragraphs(
        [*_shared_studies(results), *_fewer_studies(results), *_narrower(results), *_failed(results),
         *_few(results), *_early(results), *_survival(results)]))


def _shared_studies(results: Results) -> list[str]:
    if not results.comparisons or results.base.question.study_set != "review":
        return []
    return ["Both analyses rest on studies of the same review. Agreement shows that the published numbers can be "
            "reproduced from what the studies report; it is no independent confirmation."]


def _fewer_studies(results: Results) -> list[str]:
    found = {found.endpoint: found for found in facts.pooled_comparisons(results, primary=True)
             if (found.reported.subset or ALL) == ALL and found.reported.k_studies
             and found.reported.k_studies > found.pooled.k_studies}
    if not found:
        return []
    counts = "; ".join(f"{facts.endpoint_label(results, name)} {item.pooled.k_studies} of {item.reported.k_studies}"
                       for name, item in found.items())
    return [f"Fewer studies than published have a usable number in the evidence: {counts}."]


def _failed(results: Results) -> list[str]:
    names = [facts.fit_name(results, record) for record in results.failed]
    status = " or ".join(dict.fromkeys(record.status for record in results.failed))
    return [f"{status}, and therefore without a result: {'; '.join(names)}."] if names else []


def _narrower(results: Results) -> list[str]:
    found = [row for row in results.comparisons if row.width_ratio is not None and row.reported.primary]
    narrower = [row for row in found if row.width_ratio < 1.0]
    if not narrower:
        return []
    return [f"Our interval is the narrower one in {len(narrower)} of {len(found)} comparisons. Width is no measure "
            f"of quality here: a credible interval uses a prior for the heterogeneity, an exact confidence interval "
            f"covers all its values, and the studies differ."]


def _few(results: Results) -> list[str]:
    few = [endpoint.label for endpoint in facts.fitted_endpoints(results)
           if (found := results.headline(endpoint.endpoint)).estimates and found.k_studies <= 2]
    return [f"With at most two studies, heterogeneity and prediction are dominated by the prior: {'; '.join(few)}."] \
        if few else []


def _early(results: Results) -> list[str]:
    notes = []
    for record in results.records:
        question = record.job.question
        headline = results.headline(question.endpoint, question.subset)
        estimand = "survival"
        rows = facts.estimate(headline, estimand), facts.estimate(record, estimand)
        if not question.early_landmarks and all(rows):
            label, scale = facts.endpoint_label(results, question.endpoint), results.scale(question.endpoint)
            months = early_before(rows[0]["time_months"])
            notes.append(f"{label}: survival printed before {months:g} months is extrapolated with a constant hazard; "
                         f"without such rows the result is {facts.worded(rows[1], scale)} "
                         f"({counted(record.k_studies, 'study', 'studies')}) instead of {facts.worded(rows[0], scale)} "
                         f"({counted(headline.k_studies, 'study', 'studies')}).")
    return notes


def _survival(results: Results) -> list[str]:
    if not any(record.conversions for record in results.records):
        return []
    return ["Survival is modelled with a constant hazard in each study. Where curves fall early and then flatten, "
            "results far from the printed time points are less certain than their intervals say."]
