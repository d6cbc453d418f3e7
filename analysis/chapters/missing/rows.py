"""The two tables of a run: every rate endpoint's published totals and bounds over its missing studies."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from analysis.cases.case import typed_studies
from analysis.cases.selection import ALL, Question, Selection, candidates, shared_patients
from analysis.chapters.missing.bounds import MissingBound, bound_rows
from analysis.chapters.missing.rates import posterior
from analysis.chapters.missing.totals import PublishedTotal, total_rows
from analysis.evidence import Endpoint, Evidence
from analysis.inference.grid import Grid, QuadratureFailed
from models.beta_binomial import MODEL
from models.priors import Prior


@dataclass(frozen=True)
class MissingRows:
    """Rows of published_totals.csv and of missing_bounds.csv; both are empty where nothing is published."""

    totals: tuple[PublishedTotal, ...]
    bounds: tuple[MissingBound, ...]


def missing_rows(evidence: Evidence, base_question: Question, priors: Mapping[str, Prior] = MODEL.priors, *,
                 level: float = 0.95, endpoints: Sequence[Endpoint] | None = None) -> MissingRows:
    """Published totals and bounds of rate endpoints, by the beta-binomial model and exact quadrature.

    Parameters
    ----------
    endpoints : sequence of Endpoint, or None
        Those of other kinds have no rows; None takes all.
    base_question : Question
        Its tiers decide which studies have a count. Published numbers are about the review's studies, so that the
        set is always the review and the subset always all.
    priors : mapping of str to Prior
        For mu and rho; those not named are the model's.

    Raises
    ------
    ValueError
        When a prior is not one of this model.
    """
    wanted = MODEL.with_priors(priors)
    totals, bounds = [], []
    for endpoint in (one for one in (evidence.endpoints if endpoints is None else endpoints) if one.kind == "rate"):
        question = replace(base_question, endpoint=endpoint.endpoint, subset=ALL, study_set="review")
        selection = candidates(evidence, question)
        headline = _headline(evidence, selection, wanted)
        totals += total_rows(evidence, selection, wanted, level=level, headline=headline)
        bounds += bound_rows(evidence, selection, wanted, level=level, headline=headline)
    return MissingRows(tuple(totals), tuple(bounds))


def cells(row: PublishedTotal | MissingBound) -> dict[str, Any]:
    """A row as cells by column, for writing and for figures."""
    return asdict(row)


def _headline(evidence: Evidence, selection: Selection, priors: Mapping[str, Prior]) -> Grid | None:
    """The posterior from the studies with a count; None without any, where they share patients, or unsettled."""
    if not selection.rows or shared_patients(evidence, selection.study_ids):
        return None
    try:
        return posterior(typed_studies(selection)[0], priors)
    except QuadratureFailed:
        return None
