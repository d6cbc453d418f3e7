"""The values of the section on whether a result hangs on the sampler or the model; its words are in section.html."""

from analysis.chapters.models.comparison import DEFAULT, LEAVE_ONE_OUT, MODEL_COMPARISON
from analysis.drawing.html import Html, rendered, section
from analysis.results import facts
from analysis.results.numbers import fixed, number
from analysis.results.results import Results
from analysis.results.table import Row

_MOST_SURPRISING = 10


def models_section(results: Results) -> Html:
    """Both engines side by side, and the rate models judged by prediction and, with equal priors, by weight."""
    choice = "the sampler or the model" if "rate" in facts.kinds(results) else "the sampler"
    compared = [record for record in results.records if record.agreement]
    studies = [row for row in results.rows(LEAVE_ONE_OUT.file) if row["which_priors"] == DEFAULT
               and row["model"] == results.headline(row["endpoint"]).model]
    surprising = sorted(studies, key=lambda row: row["two_sided"])[:_MOST_SURPRISING]
    return section("models", f"Does it hang on {choice}?", rendered(
        "chapters/models/section.html", fits=len(compared), limit=facts.ENGINE_LIMIT,
        gaps=[abs(row["z"]) for record in compared for row in record.agreement],
        error=max((record.diagnostics["quadrature_error"] for record in compared), default=0.0),
        absent=dict.fromkeys(row["reason"] for row in results.rows(MODEL_COMPARISON.file) if row["reason"]),
        models=[_model(results, row) for row in results.rows(MODEL_COMPARISON.file) if row["prior_spread"] is not None],
        studies=[(facts.endpoint_label(results, row["endpoint"]), row["label"], number(row["pit"], ""),
                  number(row["two_sided"], ""), number(row["elpd_loo"], "")) for row in surprising]))


def _model(results: Results, row: Row) -> tuple[str, ...]:
    def with_error(name: str) -> str:
        return "" if row[name] is None else f"{number(row[name], '')} ({number(row[f'{name}_se'], '')})"

    return (facts.endpoint_label(results, row["endpoint"]), row["which_priors"], row["model"].replace("_", "-"),
            fixed(100.0 * row["prior_spread"], 1), with_error("elpd_loo"), with_error("elpd_difference"),
            "" if row["weight"] is None else number(row["weight"], ""), number(row["pit_uniform_p"], ""))
