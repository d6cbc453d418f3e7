"""The design that is calibrated: how large each study is and how precisely it reports, without what it found."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.cases.case import NoStudies, model_for, no_study, typed_studies
from analysis.cases.selection import Question, Selection, candidates, refuse_shared_patients
from analysis.evidence import Evidence
from models import all_models
from models.studies import HazardStudies, RateStudies, Studies

_COLUMNS = {"rate": ("evaluable",),
            "survival": ("se_lower", "se_upper", "person_months", "landmark_months", "patients_each")}


@dataclass(frozen=True)
class Design:
    """Studies of one endpoint with their outcomes blanked.

    Parameters
    ----------
    kind : {"rate", "survival"}
    endpoint : str
    horizon : float or None
        Months at which survival is reported.
    studies : RateStudies or HazardStudies
        Of k studies, with no event and log hazards of 0.
    """

    kind: str
    endpoint: str
    horizon: float | None
    studies: Studies

    def plain(self) -> dict[str, Any]:
        """As numbers and text, from which `design_from` makes it again."""
        columns = {name: getattr(self.studies, name).tolist() for name in _COLUMNS[self.kind]}
        return {"kind": self.kind, "horizon_months": self.horizon, "study_ids": list(self.studies.study_ids), **columns}


def design_of(selection: Selection) -> Design:
    """The design of the rows that answer a question."""
    endpoint = selection.endpoint
    studies, _ = typed_studies(selection)
    horizon = selection.horizon if endpoint.kind == "survival" else None
    return Design(endpoint.kind, endpoint.endpoint, horizon, _blank(endpoint.kind, studies.study_ids, vars(studies)))


def design_from(plain: Mapping[str, Any], *, endpoint: str) -> Design:
    """The design whose `plain` this is."""
    return Design(plain["kind"], endpoint, plain["horizon_months"],
                  _blank(plain["kind"], tuple(plain["study_ids"]), plain))


def _blank(kind: str, study_ids: tuple[str, ...], columns: Mapping[str, Any]) -> Studies:
    none = np.zeros(len(study_ids))
    if kind == "rate":
        return RateStudies(study_ids, none, columns["evaluable"])
    # A row of counts has no standard error; a NaN would not survive being written down.
    below, above = (np.nan_to_num(np.array(columns[name], dtype=float)) for name in ("se_lower", "se_upper"))
    landmark = np.array(columns.get("landmark_months", none), dtype=float)
    months = np.array(columns["person_months"], dtype=float)
    at = landmark > 0.0
    # Who had the event is part of what was found: all patients, in whole numbers, are as if without it.
    patients = np.array(columns.get("events", none), dtype=float)[at] + months[at] / landmark[at]
    months[at] = np.maximum(np.round(patients), 1.0) * landmark[at]
    return HazardStudies(study_ids, none, below, above, none, months, columns["patients_each"], landmark)


def select_design(evidence: Evidence, model_name: str, question: Question) -> Selection:
    """The rows of the question; without an endpoint in it, of the endpoint of the model's kind with most studies.

    Raises
    ------
    UsageError
        When model, endpoint or subset do not exist or do not go together, or no row answers the question.
    """
    kind = all_models()[model_name].kind if model_name in all_models() else "rate"
    if question.endpoint:
        found = [candidates(evidence, question)]
    else:
        found = [candidates(evidence, replace(question, endpoint=endpoint.endpoint))
                 for endpoint in evidence.endpoints if endpoint.kind == kind]
    model_for(found[0].endpoint.kind if found else kind, model_name)
    # The first of those with most studies, in the order of the table.
    best = max(found, key=lambda selection: len(selection.study_ids), default=None)
    if best is None or not best.rows:
        raise NoStudies(no_study(question, found, question.endpoint or f"a {kind} endpoint"))
    refuse_shared_patients(evidence, (best,))
    return best
