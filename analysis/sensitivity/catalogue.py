"""Which choices are varied, in the order in which a reader meets them."""

from collections.abc import Callable, Iterable, Iterator

from analysis.sensitivity import counts, curves, priors, rows
from analysis.sensitivity.variants import HEADLINE, Case, Variant

Dimension = Callable[[Case], Iterable[Variant]]

LABELS = {
    HEADLINE: "Headline", "prior": "Priors", "family": "Likelihood family",
    "family_prior": "Priors of the other family", "tiers": "Evidence tiers",
    "tier_row": "One row of a lower tier added", "study_set": "Set of studies", "timing": "Timing of the response",
    "grading": "Grading scale", "denominator": "Another denominator", "enrolled": "Patients enrolled as base",
    "definition": "Definition of survival", "statistic": "Statistic of a curve", "early": "Early extrapolations",
    "factor": "Error where no interval is printed",
}
"""What each dimension varies, in words."""

DIMENSIONS: tuple[Dimension, ...] = (
    priors.other_priors, priors.other_families, priors.other_family_priors, rows.other_tiers, rows.single_rows,
    rows.other_sets, counts.without_timings, counts.without_gradings, counts.other_denominators, counts.enrolled,
    curves.other_definitions, curves.other_statistics, curves.without_early, curves.other_factors)


def variants(case: Case) -> Iterator[Variant]:
    """The headline, then every variant; one that equals the headline, or another one of its dimension, is left out."""
    seen = {(HEADLINE, case.headline.content)}
    yield case.headline
    for dimension in DIMENSIONS:
        for variant in dimension(case):
            content = variant.content
            if (HEADLINE, content) not in seen and (variant.dimension, content) not in seen:
                seen.add((variant.dimension, content))
                yield variant
