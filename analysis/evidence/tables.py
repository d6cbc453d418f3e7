"""The tables of an evidence directory as data: a new column is one line here and one field of its row."""

from analysis.evidence import records, rows
from analysis.evidence.cells import Parser, boolean, choice, integer, label, names, number, slug, text, word
from analysis.evidence.schema import Column, Table

_COUNT_REMEDY = "Give a number of patients."
_EVENTS = integer(low=0, high=10_000_000, remedy=_COUNT_REMEDY)
_PATIENTS = integer(low=1, high=10_000_000, remedy=_COUNT_REMEDY)
_STUDIES = integer(low=1, high=10_000, remedy="Give a number of studies.")
_YEAR = integer(low=1900, high=2100, remedy="Give the year of publication.")
_LEVEL = number(above=0, below=1, low=0.5, high=0.9999, remedy="Give the level as a probability, such as 0.95.")
_TIER = choice("A", "B", "C")
# From half a day to a century: nobody is followed for longer, and days given as months soon exceed it.
_TIME = number(above=0, low=0.016, high=1200, remedy="Give months above 0: half a day is 0.016, a century 1,200.")
# Ten million patients for a century.
_EXPOSURE = number(above=0, low=0.016, high=1.2e10, remedy="Give months above 0, added up over the patients.")
_STEP = number(above=0, low=1e-12, high=1e15, remedy="Give a number above 0 of the size of a real difference.")

_ROW_OR_NONE = "If it is not known, delete the row; the study then does not count for this endpoint."
_OWN_ID = "Give each its own id, such as {first} and {second}, wherever it is meant."
_OWN_LABEL = "Make the labels differ, such as {first} and {second}."
_NO_ESTIMATE = (
    "Leave it empty. A median that was not reached has true in upper_not_reached and the follow-up in time_months; "
    "without any estimate delete the row, or empty statistic where events and person_months are given."
)
_NO_STATISTIC = "Write median or landmark; leave it empty where events and person_months are given instead."
_NO_TIME = "Leave it empty for a median; delete the row of a landmark whose time is not known."
_NO_EXPOSURE = "Leave both events and person_months empty; delete the row if it gives nothing else."
_NO_UPPER = (
    "Leave it empty, and write true in upper_not_reached if this limit of a median was not reached; "
    "leave both limits empty if no interval is known."
)


def _key(name: str, parse: Parser = text) -> Column:
    return Column(name, parse, required=True, filled=True)


def _texts(*column_names: str) -> tuple[Column, ...]:
    return tuple(Column(name, text, empty="") for name in column_names)


def _numbers(*column_names: str) -> tuple[Column, ...]:
    return tuple(Column(name, number()) for name in column_names)


_FACT_IDS = Column("fact_ids", names, empty=())
_STUDY_AND_ENDPOINT = (("study_id", "studies.csv"), ("endpoint", "endpoints.csv"))

TABLES: tuple[Table, ...] = (
    Table(
        "studies.csv",
        rows.Study,
        (
            _key("study_id", slug),
            _key("label", label),
            _key("year", _YEAR),
            Column("n_treated", _PATIENTS),
            Column("n_enrolled", _PATIENTS),
            *_texts("cohort", "antigen_target"),
            Column("in_review", boolean),
            *_texts("design"),
            Column("overlaps_with", names, empty=()),
        ),
        subject=("study_id",),
        unique=((("study_id",), _OWN_ID), (("label",), _OWN_LABEL)),
        references=(("overlaps_with", "studies.csv"),),
        keeps_cells=True,
        unknown="Every study has an id, a label and a year; a year that is not printed is that of the source.",
    ),
    Table(
        "endpoints.csv",
        rows.Endpoint,
        (
            _key("endpoint", slug),
            _key("label", label),
            _key("kind", choice("rate", "survival")),
            _key("direction", choice("benefit", "harm", "neutral")),
            *_texts("parent"),
            Column("population", word, empty=""),
            Column("horizon_months", _TIME),
        ),
        subject=("endpoint",),
        unique=((("endpoint",), _OWN_ID),),
        references=(("parent", "endpoints.csv"),),
        unknown="",
    ),
    Table(
        "responses.csv",
        rows.Response,
        (
            _key("study_id"),
            _key("endpoint"),
            _key("events", _EVENTS),
            _key("n", _PATIENTS),
            *_texts("population", "timing", "grading"),
            Column("tier", _TIER, empty=""),
            _FACT_IDS,
            *_texts("decision"),
        ),
        subject=("study_id", "endpoint"),
        unique=(
            (
                ("study_id", "endpoint", "population"),
                "Add up different patients in one row or make them studies of their own; name another base of the same "
                "patients in population and give its row another tier.",
            ),
            (("tier", "study_id", "endpoint"), "Give the row that is less certain a later tier: A, B, then C."),
        ),
        references=(*_STUDY_AND_ENDPOINT, ("fact_ids", "extraction.csv")),
        unknown=_ROW_OR_NONE,
    ),
    Table(
        "survival.csv",
        rows.Survival,
        (
            _key("study_id"),
            _key("endpoint"),
            *_texts("definition", "population", "stratum"),
            Column("cut", word, empty=""),
            Column("statistic", choice("median", "landmark"), required=True, empty="", unknown=_NO_STATISTIC),
            Column("time_months", _TIME, required=True, unknown=_NO_TIME),
            Column("estimate", number(), required=True, unknown=_NO_ESTIMATE),
            Column("ci_low", number(), required=True, unknown="Leave both limits empty if no interval is known."),
            Column("ci_high", number(), required=True, unknown=_NO_UPPER),
            Column("ci_level", _LEVEL),
            Column("upper_not_reached", boolean, empty=False),
            _key("n", _PATIENTS),
            Column("events", _EVENTS, unknown=_NO_EXPOSURE),
            Column("person_months", _EXPOSURE, unknown=_NO_EXPOSURE),
            Column("tier", _TIER, empty=""),
            _FACT_IDS,
            *_texts("decision"),
        ),
        subject=("study_id", "endpoint"),
        unique=(
            (
                ("study_id", "endpoint", "population", "stratum", "cut", "statistic", "time_months"),
                "Name what makes the rows differ: the part of the study in stratum, the base in population, or later "
                "data of the same patients in cut.",
            ),
        ),
        references=(*_STUDY_AND_ENDPOINT, ("fact_ids", "extraction.csv")),
        unknown=_ROW_OR_NONE,
    ),
    Table(
        "reported.csv",
        records.Reported,
        (
            _key("reported_id"),
            _key("endpoint"),
            *_texts("subset"),
            _key("statistic"),
            Column("k_studies", _STUDIES),
            Column("n_patients", _PATIENTS),
            Column("events", _EVENTS),
            _key("estimate", number()),
            *_numbers("ci_low", "ci_high"),
            Column("level", _LEVEL),
            *_texts("units"),
            Column("decimals", integer(low=0, high=15)),
            Column("primary", boolean, empty=True),
            *_texts("source_id", "locator", "note"),
        ),
        subject=("reported_id",),
        unique=((("reported_id",), _OWN_ID),),
        references=(("source_id", "sources.csv"),),
    ),
    Table(
        "totals.csv",
        records.Total,
        (
            _key("endpoint"),
            Column("k_studies", _STUDIES),
            Column("events", _EVENTS),
            Column("n", _PATIENTS),
            *_texts("source_id", "locator", "note"),
        ),
        subject=("endpoint",),
        references=(("endpoint", "endpoints.csv"), ("source_id", "sources.csv")),
    ),
    Table(
        "scenarios.csv",
        records.Scenario,
        (
            _key("scenario", slug),
            _key("endpoint"),
            Column("total_events", _EVENTS),
            Column("total_n", _PATIENTS),
            *_texts("study_id"),
            Column("n", _PATIENTS),
            *_texts("note"),
        ),
        subject=("scenario", "endpoint", "study_id"),
        unique=(
            (
                ("scenario", "endpoint", "study_id"),
                "A study has one denominator in a scenario; give the other one a scenario of its own.",
            ),
        ),
        references=_STUDY_AND_ENDPOINT,
    ),
    Table(
        "sources.csv",
        records.Source,
        (
            _key("source_id"),
            *_texts("citation", "doi", "pmid", "url", "kind"),
        ),
        subject=("source_id",),
        unique=((("source_id",), _OWN_ID),),
    ),
    Table(
        "extraction.csv",
        records.Fact,
        (
            _key("fact_id"),
            _key("study_id"),
            *_texts("endpoint", "quantity"),
            Column("value", text, empty="", words=True),
            *_numbers("denominator", "ci_low", "ci_high", "time_months"),
            *_texts("population", "source_id", "locator"),
            Column("derived", boolean),
            *_texts("confidence", "note"),
        ),
        subject=("fact_id", "study_id"),
        unique=((("fact_id",), _OWN_ID),),
        references=(("study_id", "studies.csv"), ("source_id", "sources.csv")),
    ),
    Table(
        "audit.csv",
        records.AuditCheck,
        (
            _key("check_id"),
            *_texts("statement", "locator", "recomputed", "verdict", "comment"),
        ),
        subject=("check_id",),
        unique=((("check_id",), _OWN_ID),),
    ),
    Table(
        "subsets.csv",
        records.Subset,
        (
            _key("subset", slug),
            *_texts("label", "column", "value"),
        ),
        subject=("subset",),
        unique=(
            (
                ("subset", "column"),
                "Write both comparisons into one cell, such as >=30 <40; for either of two texts make a column that "
                "says so.",
            ),
        ),
    ),
    Table(
        "comparisons.csv",
        records.ComparisonRule,
        (
            _key("reported_endpoint"),
            _key("statistic"),
            *_texts("endpoint", "column", "estimand"),
            Column("transform", choice("identity", "complement"), empty=""),
            *_texts("reason", "label"),
        ),
        subject=("reported_endpoint", "statistic"),
        unique=(
            (
                ("reported_endpoint", "statistic"),
                "One rule answers a published number; correct the key of the rule that is for another one.",
            ),
        ),
        references=(("endpoint", "endpoints.csv"),),
    ),
    Table(
        "covariates.csv",
        records.Covariate,
        (
            _key("covariate", slug),
            _key("label", label),
            _key("column"),
            *_texts("unit"),
            Column("unit_size", _STEP),
            Column("transformation", choice("identity", "log10"), empty="identity"),
            *_numbers("lowest", "highest"),
            *_texts("note"),
        ),
        subject=("covariate",),
        unique=((("covariate",), _OWN_ID), (("label",), _OWN_LABEL)),
    ),
)
