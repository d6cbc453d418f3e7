"""The two tables of one rate endpoint: published totals, and bounds over its missing studies."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analysis.cases.case import own_priors, typed_studies
from analysis.cases.selection import ALL, Selection, candidates, shared_patients
from analysis.cases.settings import Job
from analysis.chapters.missing.bounds import MISSING_BOUNDS, bound_rows
from analysis.chapters.missing.rates import posterior
from analysis.chapters.missing.totals import PUBLISHED_TOTALS, total_rows
from analysis.evidence import Evidence
from analysis.inference.grid import Grid, QuadratureFailed
from models.beta_binomial import MODEL
from models.priors import Prior

Rows = tuple[dict[str, Any], ...]


def missing_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, Rows]:
    """Rows of both tables for one rate endpoint, by the beta-binomial model and quadrature.

    Published numbers are about the review's studies, so that the set is always the review and the subset always all.

    Parameters
    ----------
    base : Job
        Its tiers decide which studies have a count; its priors are those of a whole run.
    """
    question = replace(base.question, endpoint=endpoint, subset=ALL, study_set="review")
    selection, priors = candidates(evidence, question), own_priors(MODEL, base)
    headline = _headline(evidence, selection, priors)
    shared = {"level": base.level, "headline": headline}
    return {PUBLISHED_TOTALS.file: total_rows(evidence, selection, priors, **shared),
            MISSING_BOUNDS.file: bound_rows(evidence, selection, priors, **shared)}


def _headline(evidence: Evidence, selection: Selection, priors: Mapping[str, Prior]) -> Grid | None:
    """The posterior from the studies with a count; None without any, where they share patients, or unsettled."""
    if not selection.rows or shared_patients(evidence, selection.study_ids):
        return None
    try:
        return posterior(typed_studies(selection)[0], priors)
    except QuadratureFailed:
        return None
