"""The rows of an evidence directory. Each class declares one table: its file, its columns and what they mean.

A new column is one field of its row: reading it, its range, its references and its messages follow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from analysis.evidence.cells import Choice, Number, Whole, boolean, ids, line, number, slug, text, word
from analysis.evidence.columns import ASKED, HEADER, MONTHS_IN, cell, filled, rows_of

_COUNT = "Give a number of patients."
_EVENTS = Whole(low=0, high=10_000_000, remedy=_COUNT)
_PATIENTS = Whole(low=1, high=10_000_000, remedy=_COUNT)
_STUDIES = Whole(low=1, high=10_000, remedy="Give a number of studies.")
_YEAR = Whole(low=1900, high=2100, remedy="Give the year of publication.")
LEVELS = 0.5, 0.999
"""Between which the levels of intervals lie, printed ones and those of this program."""
_LEVEL = Number(above=0, below=1, low=LEVELS[0], high=LEVELS[1],
                remedy="Give the level as a probability, such as 0.95.")
TIERS = {"A": "stated by a primary source, or by two sources that agree",
         "B": "from one secondary source, derived from a percentage, or with a mild doubt",
         "C": "of other patients or another time, a lower bound, or doubtful: for sensitivity analyses only"}
"""How well a row of each tier is supported."""
_TIER = Choice(tuple(TIERS))
# The words of RoB 2 and ROBINS-I.
_BIAS = Choice(("low", "some concerns", "moderate", "high", "serious", "critical", "unclear"))
# From half a day to a century: nobody is followed for longer, and days given as months soon exceed it.
_TIME = Number(above=0, low=0.016, high=1200, remedy="Give months above 0: half a day is 0.016, a century 1,200.")
# Ten million patients for a century.
_EXPOSURE = Number(above=0, low=0.016, high=1.2e10, remedy="Give months above 0, added up over the patients.")
_STEP = Number(above=0, low=1e-12, high=1e15, remedy="Give a number above 0 of the size of a real difference.")

_text = partial(cell, text, empty="")

_OWN_ID = "Give each its own id, such as {first} and {second}, wherever it is meant."
_OWN_LABEL = "Make the labels differ, such as {first} and {second}."
_ROW_OR_NONE = "If it is not known, delete the row; the study then does not count for this endpoint."
HANDLING = frozenset({"censored_at_hct", "non_responders"})
"""Columns of survival.csv that a subset may ask about, beside those of studies.csv."""
_NO_EXPOSURE = "Leave both events and person_months empty; delete the row if it gives nothing else."


@dataclass(frozen=True, slots=True, eq=False)
class Columns(Mapping[str, str]):
    """A read-only mapping that, unlike `types.MappingProxyType`, can be hashed and pickled."""

    _cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __hash__(self) -> int:
        return hash(frozenset(self._cells.items()))


@dataclass(frozen=True, slots=True)
class Row:
    """What every row knows: the line of its file."""

    row: int


@rows_of("studies.csv", unknown="Every study has an id and a label.")
@dataclass(frozen=True, slots=True)
class Study(Row):
    """One row of studies.csv."""

    study_id: str = filled(slug, "key", unique=_OWN_ID)
    label: str = filled(line, "printed name", unique=_OWN_LABEL)
    year: int | None = cell(_YEAR, "year of publication")
    n_treated: int | None = cell(_PATIENTS, "patients treated")
    n_enrolled: int | None = cell(_PATIENTS, "patients enrolled, treated or not")
    cohort: str = _text("whose results they are, such as adult")
    antigen_target: str = _text("what the cells bind, such as CD19")
    in_review: bool | None = cell(boolean, "whether the reanalysed review holds the study; None: it is not said")
    design: str = _text("prospective or retrospective")
    risk_of_bias: str = cell(_BIAS, "overall judgement of the study by a source; empty where there is none", empty="")
    overlaps_with: tuple[str, ...] = cell(ids, "studies with some of the same patients", empty=(), refers="studies.csv")
    columns: Columns
    """Every cell of the row as text, by column name; for subset rules and covariates."""

    @property
    def retrospective(self) -> bool:
        """Whether `design` says so."""
        return self.design.casefold() == "retrospective"


@rows_of("endpoints.csv", unknown="")
@dataclass(frozen=True, slots=True)
class Endpoint(Row):
    """One row of endpoints.csv."""

    endpoint: str = filled(slug, "key", unique=_OWN_ID)
    label: str = filled(line, "printed name")
    kind: str = filled(Choice(("rate", "survival")), "a share of patients, or a time to an event")
    direction: str = filled(Choice(("benefit", "harm", "neutral")), "what a larger probability means to a patient")
    parent: str = _text("the endpoint that contains this one", refers="endpoints.csv")
    population: str = cell(word, "the usual base", empty="")
    horizon_months: float | None = cell(_TIME, "the time point at which survival is reported")
    crude: bool = cell(boolean, "whether the rate is one over unequal follow-up; its label says so", empty=False)


@rows_of("responses.csv", subject=("study_id", "endpoint"), unknown=_ROW_OR_NONE, unique={
    ("study_id", "endpoint", "population"): "Add up different patients in one row or make them studies of their own; "
    "name another base of the same patients in population and give its row another tier.",
    ("tier", "study_id", "endpoint"): "Give the row that is less certain a later tier: A, B, then C."})
@dataclass(frozen=True, slots=True)
class Response(Row):
    """One row of responses.csv: the count of one study and one binary endpoint."""

    study_id: str = filled(text, "key of the study", refers="studies.csv")
    endpoint: str = filled(text, "key of the endpoint", refers="endpoints.csv")
    events: int = filled(_EVENTS, "patients with the event")
    n: int = filled(_PATIENTS, "patients of the base")
    population: str = _text("the base")
    timing: str = _text("time of the assessment")
    grading: str = _text("scale by which a toxicity was graded, empty where it is not known")
    tier: str = cell(_TIER, "how well the row is supported; empty where the table has no tiers", empty="")
    fact_ids: tuple[str, ...] = cell(ids, "ledger entries that carry the number", empty=(), refers="extraction.csv")
    decision: str = _text("why this number is analysed")


@rows_of("survival.csv", subject=("study_id", "endpoint"), unknown=_ROW_OR_NONE, unique={
    ("study_id", "endpoint", "population", "stratum", "cut", "statistic", "time_months"): "Name what makes the rows "
    "differ: the part of the study in stratum, the base in population, or later data of the same patients in cut."})
@dataclass(frozen=True, slots=True)
class Survival(Row):
    """One row of survival.csv: a median, a survival probability at one time, or events over person-time."""

    study_id: str = filled(text, "key of the study", refers="studies.csv")
    endpoint: str = filled(text, "key of the endpoint", refers="endpoints.csv")
    definition: str = _text("the reported name, such as OS, EFS or RFS")
    population: str = _text("the base")
    stratum: str = _text("the part of a study whose parts stand for it only together")
    cut: str = cell(word, "primary, or later for later data of the same patients", empty="")
    statistic: str = cell(
        Choice(("median", "landmark")), "empty when only events and person_months are given", required=True, empty="",
        unknown="Write median or landmark; leave it empty where events and person_months are given instead.")
    time_months: float | None = cell(
        _TIME, "time of a landmark; the follow-up of a median that was not reached", required=True,
        unknown="Leave it empty for a median; delete the row of a landmark whose time is not known.")
    estimate: float | None = cell(
        number, "months for a median, a probability from 0 to 1 for a landmark; None for a median that was not reached",
        required=True, unknown="Leave it empty. A median that was not reached has true in upper_not_reached and the "
        "follow-up in time_months; without any estimate delete the row, or empty statistic where events and "
        "person_months are given.")
    ci_low: float | None = cell(
        number, "confidence limit on the scale of `estimate`", required=True,
        unknown="Leave both limits empty if no interval is known.")
    ci_high: float | None = cell(
        number, "confidence limit on the scale of `estimate`", required=True,
        unknown="Leave it empty, and write true in upper_not_reached if this limit of a median was not reached; "
        "leave both limits empty if no interval is known.")
    ci_level: float | None = cell(_LEVEL, "level of the limits; 0.95 where they have none, None without limits")
    upper_not_reached: bool = cell(boolean, "whether the upper limit of a median was not reached", empty=False)
    n: int = filled(_PATIENTS, "patients analysed")
    events: int | None = cell(_EVENTS, "events during `person_months`", unknown=_NO_EXPOSURE)
    person_months: float | None = cell(_EXPOSURE, "time at risk, summed over patients", unknown=_NO_EXPOSURE)
    time_unit: str = cell(Choice(tuple(MONTHS_IN)), "of the times of the row, which are read as months", empty="")
    tier: str = cell(_TIER, "how well the row is supported; empty where the table has no tiers", empty="")
    fact_ids: tuple[str, ...] = cell(ids, "ledger entries that carry the number", empty=(), refers="extraction.csv")
    decision: str = _text("why this number is analysed")
    censored_at_hct: bool | None = cell(
        boolean, "whether patients were censored at a transplant after the therapy; None: it is not said")
    non_responders: str = cell(
        Choice(("event at 0", "excluded")), "patients without a response; empty where it is not known", empty="")
    patients: tuple[tuple[float, bool], ...] = ()
    """Months of each patient and whether the event ended them, of a row that stands for rows of patients.csv."""

    @property
    def handling(self) -> dict[str, str]:
        """The columns of `HANDLING` as text."""
        censored = "" if self.censored_at_hct is None else str(self.censored_at_hct).lower()
        return {"censored_at_hct": censored, "non_responders": self.non_responders}

    @property
    def median_not_reached(self) -> bool:
        """Whether all that the row says is that more than half of the patients were event-free."""
        return self.statistic == "median" and self.estimate is None


@rows_of("patients.csv", subject=("study_id", "endpoint"), unknown="If it is not known, delete the row.")
@dataclass(frozen=True, slots=True)
class Patient(Row):
    """One row of patients.csv: how long one patient was followed, and how that ended."""

    study_id: str = filled(text, "key of the study", refers="studies.csv")
    endpoint: str = filled(text, "key of the endpoint", refers="endpoints.csv")
    months: float = filled(_TIME, "months to the event, or to the end of follow-up")
    status: str = filled(Choice(("event", "censored")), "what ended them")
    definition: str = _text("the reported name, such as OS, EFS or RFS")
    population: str = _text("the base")
    cut: str = cell(word, "primary, or later for later data of the same patients", empty="")
    source_id: str = _text("where it is stated", refers="sources.csv")
    locator: str = _text("place in the source")


@rows_of("reported.csv")
@dataclass(frozen=True, slots=True)
class Reported(Row):
    """One row of reported.csv: a pooled number printed by the review."""

    reported_id: str = filled(text, "key", unique=_OWN_ID)
    endpoint: str = filled(text, "what was pooled, not always an endpoint of the evidence")
    subset: str = _text("the studies pooled", refers="subsets.csv")
    statistic: str = filled(text, "such as mean_probability")
    k_studies: int | None = cell(_STUDIES, "studies pooled")
    n_patients: int | None = cell(_PATIENTS, "patients of these studies")
    events: int | None = cell(_EVENTS, "patients with the event")
    estimate: float = filled(number, "on the scale of `units`")
    ci_low: float | None = cell(number, "confidence limit on the scale of `units`")
    ci_high: float | None = cell(number, "confidence limit on the scale of `units`")
    level: float | None = cell(_LEVEL, "level of the printed interval")
    units: str = _text("probability (0 to 1), months, or empty")
    decimals: int | None = cell(Whole(0, 15), "digits of `estimate` after the point, which tell the rounding slack")
    primary: bool = cell(boolean, "False for a second, different printing of the same quantity", empty=True)
    source_id: str = _text("where it is printed", refers="sources.csv")
    locator: str = _text("place in the source")
    note: str = _text("free text")


@rows_of("totals.csv")
@dataclass(frozen=True, slots=True)
class Total(Row):
    """One row of totals.csv: events and patients that the review prints over all its studies."""

    endpoint: str = filled(text, "key of the endpoint", refers="endpoints.csv")
    k_studies: int | None = cell(_STUDIES, "studies summed")
    events: int | None = cell(_EVENTS, "patients with the event")
    n: int | None = cell(_PATIENTS, "patients of the base")
    source_id: str = _text("where it is printed", refers="sources.csv")
    locator: str = _text("place in the source")
    note: str = _text("free text")


@rows_of("scenarios.csv", subject=("scenario", "endpoint", "study_id"), unique={
    ("scenario", "endpoint", "study_id"): "A study has one denominator in a scenario; give the other one a scenario "
    "of its own."})
@dataclass(frozen=True, slots=True)
class Scenario(Row):
    """One row of scenarios.csv: another reading of a published total, with one denominator that it changes.

    Rows of one scenario and endpoint belong together; their totals are the same.
    """

    scenario: str = filled(slug, "name of the reading")
    endpoint: str = filled(text, "key of the endpoint", refers="endpoints.csv")
    total_events: int | None = cell(_EVENTS, "events in total; None where they are as printed")
    total_n: int | None = cell(_PATIENTS, "patients in total; None where they are as printed")
    study_id: str = _text("a study whose denominator departs from the treated; empty: none", refers="studies.csv")
    n: int | None = cell(_PATIENTS, "that denominator")
    note: str = _text("free text")


@rows_of("sources.csv")
@dataclass(frozen=True, slots=True)
class Source(Row):
    """One row of sources.csv: a publication, a registry record or a page."""

    source_id: str = filled(text, "key", unique=_OWN_ID)
    citation: str = _text("short, saying how much of it was readable")
    doi: str = _text("digital object identifier")
    pmid: str = _text("identifier of PubMed")
    url: str = _text("the citable address")
    kind: str = _text("such as primary_abstract or registry")


@rows_of("extraction.csv", subject=("fact_id", "study_id"))
@dataclass(frozen=True, slots=True)
class Fact(Row):
    """One row of extraction.csv, the ledger of stated facts."""

    fact_id: str = filled(text, "key", unique=_OWN_ID)
    study_id: str = filled(text, "the study it is kept under", refers="studies.csv")
    endpoint: str = _text("what it is about, not always an endpoint of the evidence")
    quantity: str = _text("what `value` counts or measures, such as events, percent, median_months or text")
    value: float | None = cell(text, "the number; None for a fact in words", empty="", words=True)
    value_text: str
    """The cell of `value` as written, for words and for the number of printed digits."""
    denominator: float | None = cell(number, "the base")
    ci_low: float | None = cell(number, "confidence limit on the scale of `value`")
    ci_high: float | None = cell(number, "confidence limit on the scale of `value`")
    time_months: float | None = cell(number, "time the value refers to")
    population: str = _text("the base in words")
    source_id: str = _text("where it is stated", refers="sources.csv")
    locator: str = _text("place in the source")
    derived: bool | None = cell(boolean, "whether it was computed from a stated fact")
    confidence: str = _text("how sure the reading is")
    note: str = _text("free text")


@rows_of("audit.csv")
@dataclass(frozen=True, slots=True)
class AuditCheck(Row):
    """One row of audit.csv: a check of the review's internal consistency."""

    check_id: str = filled(text, "key", unique=_OWN_ID)
    statement: str = _text("what the review says")
    locator: str = _text("place in the review")
    recomputed: str = _text("the arithmetic")
    verdict: str = _text("such as consistent")
    comment: str = _text("free text")


@rows_of("subsets.csv", unique={
    ("subset", "column"): "Write both comparisons into one cell, such as >=30 <40; for either of two texts make a "
    "column that says so."})
@dataclass(frozen=True, slots=True)
class Subset(Row):
    """One row of subsets.csv: a condition on a column of studies.csv, or on the handling of a row of survival.csv.

    Several rows of one subset must all hold; a row without a column holds for every study.
    """

    subset: str = filled(slug, "key")
    label: str = _text("printed name")
    column: str = _text("the column", refers=ASKED)
    value: str = _text("the text that a cell must be, or comparisons such as >=30 <40")


@rows_of("comparisons.csv", subject=("reported_endpoint", "statistic"), unique={
    ("reported_endpoint", "statistic"): "One rule answers a published number; correct the key of the rule that is for "
    "another one."})
@dataclass(frozen=True, slots=True)
class ComparisonRule(Row):
    """One row of comparisons.csv: which estimand answers a published number, or why none does."""

    reported_endpoint: str = filled(text, "endpoint of reported.csv")
    statistic: str = filled(text, "statistic of reported.csv")
    endpoint: str = _text("whose estimand is compared; empty when a column is", refers="endpoints.csv")
    column: str = _text("that column of studies.csv", refers=HEADER)
    estimand: str = _text("name of the estimand, or crude_column")
    transform: str = cell(Choice(("identity", "complement")), "what is done to the estimand first", empty="")
    reason: str = _text("why nothing can be compared")
    label: str = _text("of a published quantity that is no endpoint; empty where endpoints.csv has it")


@rows_of("covariates.csv")
@dataclass(frozen=True, slots=True)
class Covariate(Row):
    """One row of covariates.csv: a numeric column of studies.csv that can be regressed on."""

    covariate: str = filled(slug, "key", unique=_OWN_ID)
    label: str = filled(line, "printed name", unique=_OWN_LABEL)
    column: str = filled(text, "column of studies.csv", refers=HEADER)
    unit: str = _text('words for one step, such as "10 years"')
    unit_size: float | None = cell(_STEP, "size of a step on the scale of the transformed column; None: not stated")
    transformation: str = cell(Choice(("identity", "log10")), "what is done to a cell first", empty="identity")
    lowest: float | None = cell(number, "lower bound of the column")
    highest: float | None = cell(number, "upper bound of the column")
    note: str = _text("what the column means, such as how mixed categories become shares")


@rows_of("gaps.csv", subject=("study_id", "endpoint"), unique={
    ("study_id", "endpoint", "look_up"): "Say in one row what is known."})
@dataclass(frozen=True, slots=True)
class Gap(Row):
    """One row of gaps.csv: what is known where no number is analysed, or what to look up first."""

    study_id: str = _text("the study; empty where several are meant", refers="studies.csv")
    endpoint: str = _text("the endpoint; empty for what to look up", refers="endpoints.csv")
    known: str = _text("what is known of the number")
    look_up: str = _text("what to look up, and where")


@rows_of("benchmarks.csv", subject=("endpoint", "label"), unique={
    ("endpoint", "label", "estimand", "time_months"): "Make the labels differ."})
@dataclass(frozen=True, slots=True)
class Benchmark(Row):
    """One row of benchmarks.csv: what another treatment is known for, as a value or a range."""

    endpoint: str = filled(text, "key of the endpoint", refers="endpoints.csv")
    label: str = filled(line, "what the value is of")
    estimand: str = filled(Choice(("rate", "survival", "median_months")), "a rate, survival at a time or a median time")
    time_months: float | None = cell(_TIME, "time of survival")
    low: float = filled(number, "the value, or the lower end of its range; a probability, or months")
    high: float | None = cell(number, "the upper end of the range; None for one value")
    source_id: str = _text("where it is stated", refers="sources.csv")
    locator: str = _text("place in the source")
    note: str = _text("free text")


@rows_of("about.csv", subject=("about",))
@dataclass(frozen=True, slots=True)
class About(Row):
    """One row of about.csv: something that pages say about the evidence as a whole."""

    about: str = filled(Choice(("title", "population", "intervention", "review")), "subject", unique="Say it once.")
    text: str = filled(line, "the words: title, patients, what is done to them, the reanalysed publication")
