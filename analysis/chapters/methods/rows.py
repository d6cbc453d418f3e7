"""The frequentist intervals of one question as rows of frequentist.csv: what each method says about our evidence."""

from collections.abc import Mapping
from typing import Any

from analysis.cases.selection import Question, select
from analysis.evidence import Evidence
from analysis.frequentist.methods import BY_KEY, methods_for
from analysis.inference.fitting import typed_studies

COLUMNS = ("endpoint", "subset", "tiers", "study_set", "k_studies", "n_patients", "method", "label", "of_the_paper",
           "estimand", "time_months", "scale", "estimate", "lower", "upper", "level", "interval",
           "heterogeneity_name", "heterogeneity", "note", "stamp")


def frequentist_rows(evidence: Evidence, question: Question, *, level: float,
                     seed: int) -> tuple[Mapping[str, Any], ...]:
    """Every method on the rows that answer a question; nothing where there is none.

    Parameters
    ----------
    seed : int
        Of the simulated null laws of the exact methods.
    """
    selection = select(evidence, question)
    if not selection.rows:
        return ()
    studies, _ = typed_studies(selection)
    if not studies.patients:
        return ()
    shared = {"endpoint": question.endpoint, "subset": question.subset, "tiers": question.tiers,
              "study_set": question.study_set, "k_studies": len(studies), "n_patients": studies.patients}
    names = ("method", "label", "estimand", "time_months", "scale", "estimate", "lower", "upper", "level", "interval",
             "heterogeneity_name", "heterogeneity", "note")
    return tuple({**shared, "of_the_paper": BY_KEY[found.method].of_the_paper,
                  **{name: getattr(found, name) for name in names}}
                 for found in methods_for(studies, level=level, seed=seed, horizon=selection.horizon))
