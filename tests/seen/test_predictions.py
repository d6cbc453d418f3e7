"""Tables of what prior, posterior and the review's studies predict, by sums over the plane and our own replicates."""

import numpy as np
from scipy import optimize, stats

from tests.seen.checking import Table, between, ordered
from tests.seen.facts import ENDPOINTS, LEVEL, Counts, counts, named, studies_of, study_of
from tests.seen.headline import HEADLINE, headline, law, months, pit_of
from tests.seen.posterior import DEFAULTS, posterior

TAIL = (1 - LEVEL) / 2
HAZEL = "hazel_2021"
DRAWS = 20_000


def mid_p(probability: np.ndarray, count: int) -> float:
    return probability[:count].sum() + probability[count] / 2


def counted(probability: np.ndarray) -> dict[str, float]:
    """Limits of a count and its median as rates."""
    n, total = len(probability) - 1, np.cumsum(probability)
    places = {"lower": TAIL, "median": 0.5, "upper": 1 - TAIL}
    return {name: next(count for count in range(n + 1) if total[count] >= p) / n for name, p in places.items()}


def hazard_points(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """eta, tau and weights, before the data by a rule of our own: the plane does not hold all of that prior."""
    if name == "posterior":
        return headline("os").points()
    from models import all_models

    mean, sd = all_models()["log_hazard"].priors["eta"].arguments
    eta, tau = mean + sd * np.linspace(-6, 6, 241), np.linspace(0.0025, 2.5, 200)
    weight = stats.norm.pdf(eta, mean, sd)[:, None] * stats.halfnorm.pdf(tau, scale=0.5)
    eta, tau = np.broadcast_arrays(eta[:, None], tau)
    return eta.ravel(), tau.ravel(), weight.ravel() / weight.sum()


def predicted_survival(name: str, own) -> dict[str, float]:
    """Survival at 12 months that a further study with the same error reports."""
    eta, tau, weight = hazard_points(name)
    total = np.hypot(tau, own.below)

    def survival(p: float) -> float:
        hazard = optimize.brentq(lambda x: weight @ stats.norm.cdf((x - eta) / total) - (1 - p), -30, 20)
        return float(np.exp(-12 * np.exp(hazard)))

    return {"lower": survival(TAIL), "median": survival(0.5), "upper": survival(1 - TAIL),
            "pit": 1 - float(weight @ stats.norm.cdf((own.value - eta) / total))}


def reported(studies) -> np.ndarray:
    """Rates, or survival at 12 months."""
    return np.array([study.events / study.n if isinstance(study, Counts) else np.exp(-12 * np.exp(study.estimate[0]))
                     for study in studies])


def test_checks(seen):
    rows = Table(seen, "checks.csv")
    assert [(row["endpoint"], row["study_id"]) for row in rows.rows] == [
        (endpoint, study.study_id) for endpoint in ENDPOINTS for study in studies_of(endpoint)]
    for row in rows.rows:
        endpoint, found = row["endpoint"], rows.numbers(row)
        own = study_of(row, studies_of(endpoint))
        observed = reported([own])[0]
        for name in ("prior", "posterior"):
            middle, pit, cells = 0.0, f"{name}_pit", {}
            if isinstance(own, Counts):
                plane = headline(endpoint) if name == "posterior" else posterior(
                    "beta_binomial", (), DEFAULTS["beta_binomial"])
                probability = law(plane, own.n)
                cells, middle = counted(probability), mid_p(probability, own.events)
                # On the edge of a count the plane may fall on the other side.
                near = 1.01 / own.n if name == "prior" else 1e-9
            elif own.months:  # a count of events: discrete, and its limits by draws alone
                near, middle = 0.0, pit_of(headline("os"), own) if name == "posterior" else found[pit]
            else:
                cells, near = predicted_survival(name, own), 0.012
                middle = cells.pop("pit")
            rows.check(row, within=near, **{f"{name}_{limit}": cell for limit, cell in cells.items()})
            rows.check(row, within=1.5e-3, **{pit: middle})
            ordered(found, f"{name}_lower", f"{name}_median", f"{name}_upper")
            inside = found[f"{name}_lower"] <= found["observed"] <= found[f"{name}_upper"]
            rows.check(row, **{f"{name}_within": inside})
            rows.check(row, **{f"{name}_{limit}": between(0, 1) for limit in ("lower", "median", "upper")})
        rows.check(row, within=1e-5, observed=observed)
        rows.check(row, **named(own), endpoint=endpoint, model=HEADLINE[endpoint], months=months(endpoint),
                   k_studies=len(studies_of(endpoint)))
    rows.complete(tiers="AB", study_set="review", level=LEVEL, status="computed", reason=None, stamp=None)


def replicated(endpoint: str, studies) -> np.ndarray:
    """Rates, or survival at 12 months, that further studies of the same sizes report."""
    rng, (location, spread, weight) = np.random.default_rng(3), headline(endpoint).points()
    at = rng.choice(len(weight), DRAWS, p=weight)
    centre, scale = location[at][:, None], spread[at][:, None]
    if endpoint != "os":
        sizes, kappa = np.array([study.n for study in studies]), 1 / scale - 1
        return rng.binomial(sizes, rng.beta(centre * kappa, (1 - centre) * kappa, (DRAWS, len(sizes)))) / sizes
    theta = rng.normal(centre, scale, (DRAWS, len(studies)))
    reports = np.stack([np.log((rng.poisson(own.months * np.exp(theta[:, at])) + 0.5) / own.months) if own.months
                        else theta[:, at] + own.below * rng.normal(size=DRAWS) for at, own in enumerate(studies)], 1)
    return np.exp(-12 * np.exp(reports))


def test_statistics(seen):
    rows = Table(seen, "check_statistics.csv")
    of = {"largest": np.max, "smallest": np.min, "spread": lambda x, axis: np.std(x, axis=axis, ddof=1)}
    assert [(row["endpoint"], row["statistic"]) for row in rows.rows] == [
        (endpoint, name) for endpoint in ENDPOINTS for name in of]
    for row in rows.rows:
        endpoint, found = row["endpoint"], rows.numbers(row)
        studies, statistic = studies_of(endpoint), of[row["statistic"]]
        drawn = statistic(replicated(endpoint, studies), axis=1)
        value = float(statistic(reported(studies), axis=0))
        same = np.abs(drawn - value) < 1e-9
        # Two sets of 20,000 draws: four standard errors of a tail are 0.02, of a limit of rates up to one of 0.02.
        rows.check(row, within=0.02, p_value=np.mean((drawn > value) & ~same) + np.mean(same) / 2)
        lower, median, upper = np.quantile(drawn, [TAIL, 0.5, 1 - TAIL])
        rows.check(row, within=0.035, lower=lower, median=median, upper=upper)
        rows.check(row, within=1e-5, observed=value)
        rows.check(row, extreme=min(found["p_value"], 1 - found["p_value"]) < TAIL, endpoint=endpoint,
                   model=HEADLINE[endpoint], statistic=row["statistic"], k_studies=len(studies))
    rows.complete(tiers="AB", study_set="review", level=LEVEL, draws=DRAWS, stamp=None)


def test_expected(seen):
    rows = Table(seen, "expected.csv")
    rates = [endpoint for endpoint in ENDPOINTS if ENDPOINTS[endpoint]["kind"] == "rate"]
    assert [(row["endpoint"], row["n"]) for row in rows.rows] == [
        (endpoint, n) for endpoint in rates for n in ("20", "50", "100")]
    for row in rows.rows:
        endpoint, n = row["endpoint"], int(row["n"])
        probability = law(headline(endpoint), n)
        below = np.cumsum(probability)
        for name, p in (("lower", 0.025), ("median", 0.5), ("upper", 0.975), ("likely_low", 0.25),
                        ("likely_high", 0.75)):
            # Fewer have less than this probability, and these have it, but for the error of the plane.
            count = int(row[name])
            assert (count == 0 or below[count - 1] < p + 1e-4) and below[count] > p - 1e-4, (endpoint, n, name)
            rows.check(row, **{name: between(0, n)})
        pits = [mid_p(probability, count) for count in range(n + 1)]
        chances = [2 * min(pit, 1 - pit) for pit in pits]
        low, high = int(row["unsurprising_low"]), int(row["unsurprising_high"])
        # Surprising are those beyond, but for the error of the plane.
        assert min(chances[low], chances[high]) > 0.05 - 3e-4, (endpoint, n)
        assert max([*chances[:low], *chances[high + 1:]], default=0.0) < 0.05 + 3e-4, (endpoint, n)
        rows.check(row, unsurprising_low=low, unsurprising_high=high)
        rows.check(row, endpoint=endpoint, n=n, model=HEADLINE[endpoint], k_studies=len(studies_of(endpoint)))
    rows.complete(level=LEVEL, interval="prediction", status="computed", reason=None, stamp=None)


def test_expected_counts(seen):
    rows = Table(seen, "expected_counts.csv")
    rates = [endpoint for endpoint in ENDPOINTS if ENDPOINTS[endpoint]["kind"] == "rate"]
    assert [(row["endpoint"], int(row["events"])) for row in rows.rows] == [
        (endpoint, events) for endpoint in rates for events in range(21)]
    laws = {endpoint: law(headline(endpoint), 20) for endpoint in rates}
    for row in rows.rows:
        events, found = int(row["events"]), rows.numbers(row)
        middle = mid_p(laws[row["endpoint"]], events)
        rows.check(row, within=3e-4, pit=middle, two_sided=2 * min(middle, 1 - middle))
        rows.check(row, named=found["two_sided"] < 0.05, events=events, endpoint=row["endpoint"],
                   model=HEADLINE[row["endpoint"]])
    rows.complete(n=20, stamp=None)


def test_validation(seen):
    """The one later study, from the review's headline."""
    rows = Table(seen, "validation.csv")
    (row,) = rows.rows
    (own,) = (study for study in counts("cr", study_set="all") if study.study_id == HAZEL)
    probability = law(headline("cr"), own.n)
    pit, mid = mid_p(probability, own.events), np.cumsum(probability) - probability / 2
    rows.check(row, within=1e-3, pit=pit, two_sided=2 * min(pit, 1 - pit),
               chance_named=probability[2 * np.minimum(mid, 1 - mid) < 0.05].sum())
    rows.check(row, within=2e-3, log_predictive=np.log(probability[own.events]))
    rows.check(row, **counted(probability), endpoint="cr", model="beta_binomial", study_id=HAZEL, label="Hazel 2021",
               n=own.n, tier="A", row=8, report=lambda text: text.lstrip("'") == "50/63", months=None, patients=own.n,
               observed=own.events / own.n, named=False, counted=True)
    rows.complete(level=LEVEL, interval="prediction", status="computed", reason=None, stamp=None)


def test_validation_scores(seen):
    rows = Table(seen, "validation_scores.csv")
    (row,), (report,) = rows.rows, seen.tables["validation.csv"]
    rows.check(row, chance_named=float(report["chance_named"]), elpd=float(report["log_predictive"]), endpoint="cr",
               model="beta_binomial", k_studies=1, predictions=1, named=0)
    rows.complete(as_many=None, elpd_difference=None, difference_se=None, stamp=None)
