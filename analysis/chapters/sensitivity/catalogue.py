"""Which choices are varied, in the order in which a reader meets them; `names` words each."""

from collections.abc import Callable, Iterable, Iterator

from analysis.chapters.sensitivity import counts, curves, priors, rows
from analysis.chapters.sensitivity.names import HEADLINE
from analysis.chapters.sensitivity.variants import Headline, Variant

Dimension = Callable[[Headline], Iterable[Variant]]

DIMENSIONS: tuple[Dimension, ...] = (
    priors.other_priors, priors.other_families, priors.other_family_priors, rows.other_tiers, rows.single_rows,
    rows.other_sets, counts.without_timings, counts.without_gradings, counts.other_denominators, counts.enrolled,
    curves.other_definitions, curves.other_statistics, curves.without_early, curves.other_factors)


def variants(headline: Headline) -> Iterator[Variant]:
    """The headline, then every variant; one that equals the headline, or another one of its dimension, is left out."""
    seen = {(HEADLINE, headline.itself().content)}
    yield headline.itself()
    for dimension in DIMENSIONS:
        for variant in dimension(headline):
            content = variant.content
            if (HEADLINE, content) not in seen and (variant.dimension, content) not in seen:
                seen.add((variant.dimension, content))
                yield variant
