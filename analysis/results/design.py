"""A planned trial as a table, as fields of a JSON object, in words, and as text to paste into other programs."""

from collections.abc import Iterator
from typing import Any

from analysis.planning.mixtures import Mixture
from analysis.planning.plans import Design
from analysis.planning.settings import ANALYSES, MOST_PATIENTS
from analysis.planning.trial import success
from analysis.results.numbers import chance, level_text, significant
from analysis.results.table import Column, Layout

OPERATING = Layout("design.csv", "One true rate of a planned trial: how often its rule succeeds.", (
    Column("rate", "true rate, or survival", "share", "True rate"),
    *(Column(f"success_{name}", f"probability of success with the {name} prior", "chance", f"Success, {name} prior")
      for name in ANALYSES),
    Column("stops", "probability that the interim look stops the trial", "chance", "Stops"),
    Column("success_with_look", "probability of success with the look", "chance", "Success with look"),
    Column("patients", "expected number of patients with the look", ".1f", "Patients")))

_TOLD = 0.0005  # success that is less likely, or as near to certain, is only in the file


def operating_rows(design: Design) -> Iterator[dict[str, Any]]:
    """Rows of design.ENDPOINT.csv."""
    wins = {name: success(design.rule(name), design.plan.n, design.rates) for name in ANALYSES}
    for at, rate in enumerate(design.rates):
        look = design.look.chances(design.chosen, rate) if design.look else ()
        yield {"rate": rate, **{f"success_{name}": float(values[at]) for name, values in wins.items()},
               **dict(zip(("stops", "success_with_look", "patients"), look, strict=False))}


def told_rows(design: Design) -> list[dict[str, Any]]:
    """Those of them that readers see: the threshold, and where success is neither sure nor out of the question."""
    return [row for row in operating_rows(design) if row["rate"] == design.plan.threshold
            or _TOLD < row[f"success_{design.plan.analysis}"] < 1.0 - _TOLD]


def shown_columns(design: Design) -> dict[str, str]:
    """Their columns, and what stands above each in a terminal."""
    look = {"stops": "look stops", "success_with_look": "success with look", "patients": "patients"}
    return {"rate": "true rate", **{f"success_{name}": f"success, {name} prior" for name in ANALYSES},
            **(look if design.look else {})}


def components(mixture: Mixture) -> list[dict[str, float]]:
    """Weight and parameters of each component."""
    names = ("a", "b") if mixture.family == "beta" else ("mean", "sd")
    return [{"weight": float(weight), names[0]: float(first), names[1]: float(second)}
            for weight, first, second in zip(mixture.weights, mixture.first, mixture.second, strict=True)]


def in_r(mixture: Mixture) -> str:
    """The mixture as RBesT writes one."""
    parts = (", ".join(f"{value:.6g}" for value in part.values()) for part in components(mixture))
    return f"mix{'beta' if mixture.family == 'beta' else 'norm'}({', '.join(f'c({part})' for part in parts)})"


def in_pymc(mixture: Mixture) -> str:
    """The mixture as a PyMC distribution."""
    kind, names = ("Beta", ("a", "b")) if mixture.family == "beta" else ("Normal", ("mean", "sd"))
    first, second = ([f"{part[name]:.6g}" for part in components(mixture)] for name in names)
    parts = ", ".join(f"pm.{kind}.dist({a}, {b})" for a, b in zip(first, second, strict=True))
    weights = ", ".join(f"{weight:.6g}" for weight in mixture.weights)
    name = "rate" if mixture.family == "beta" else "log_cumulative_hazard"
    return f'pm.Mixture("{name}", w=[{weights}], comp_dists=[{parts}])'


def fields(design: Design) -> dict[str, Any]:
    """The design for JSON."""
    plan, look = design.plan, design.look
    lower, middle, upper = design.expected.limits(design.case.level).tolist()
    return {"plan": vars(plan), "success_is": "above" if design.above else "below",
            "prior": {"family": design.prior.family, "components": components(design.prior),
                      "mean": design.prior.moments[0], "sd": design.prior.moments[1],
                      "divergence": design.prior.divergence, "effective_sample_size": design.sizes,
                      "r": in_r(design.prior), "pymc": in_pymc(design.prior)},
            "expected": {"median": middle, "lower": lower, "upper": upper, "level": design.case.level},
            "rules": [{"analysis": name, "bound": design.rule(name).bound(plan.n), "assurance": design.assurance(name),
                       "false_positive": float(success(design.rule(name), plan.n, [plan.threshold])[0])}
                      for name in ANALYSES],
            "size_for_assurance": design.size,
            "interim": {"patients": look.m, "predictive": look.predictive.tolist(), "stops": look.stops.tolist()}
            if look else None,
            "operating_characteristics": list(operating_rows(design))}


def sentences(design: Design) -> list[str]:
    """The prior, the rule and how it fares."""
    plan, rule, sizes, prior = design.plan, design.chosen, design.sizes, design.prior
    names = ("Beta", "a", "b") if prior.family == "beta" else ("Normal", "mean", "sd")
    mixture = " + ".join(f"{part['weight']:.3f} {names[0]}({part[names[1]]:.4g}, {part[names[2]]:.4g})"
                         for part in components(prior))
    what = "patients with the event" if plan.months is None else f"patients without the event at {plan.months:g} months"
    lower, _, upper = design.expected.limits(design.case.level).tolist()
    bound, more = rule.bound(plan.n), "or more" if rule.above else "or fewer"
    wins = float(success(rule, plan.n, [plan.threshold])[0])
    reached = f"with {bound} {more} of {plan.n} {what}" if bound is not None else "never"
    rate, scale = ("rate", "") if plan.months is None else ("survival", " of the log cumulative hazard")
    elir = "" if sizes["elir"] is None else f"{sizes['elir']:.1f} patients by local information (ELIR), "
    lines = [
        f"Predictive distribution of a new study: {mixture}{scale}; divergence {significant(prior.divergence)}.",
        f"As a prior it is worth {elir}{sizes['moment']:.1f} {'' if elir else 'patients '}by its variance, "
        f"{sizes['morita']:.1f} at its mean (Morita). Counts outside {lower} to {upper} of {plan.n} "
        "would be in conflict with it.",
        f"Success: P({rate} {'>' if rule.above else '<'} {plan.threshold:g}) of {plan.confidence:g} or more, which is "
        f"reached {reached} ({plan.analysis} prior).",
        f"A {rate} at the threshold succeeds with probability {chance(wins)}; over the predictive distribution success "
        f"has probability {chance(design.assurance(plan.analysis))} (assurance).",
        f"Assurance of {level_text(plan.target)} " + (f"needs {design.size} patients." if design.size else
                                                     f"is not reached by any size up to {MOST_PATIENTS} patients.")]
    if design.look:
        stops = int(design.look.stops.sum())
        at = "no count" if not stops else f"{stops - 1 if rule.above else design.look.m + 1 - stops} "\
            f"{'or fewer' if rule.above else 'or more'}"
        lines.append(f"The look after {design.look.m} patients stops with {at}, where success has become less likely "
                     f"than {level_text(plan.futility)}.")
    return lines
