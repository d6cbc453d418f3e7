"""What is to be fitted and how long is sampled: plain values that cross process borders."""

import hashlib
from dataclasses import dataclass, replace

ALL = "all"
"""The subset of all studies."""


@dataclass(frozen=True)
class Question:
    """What is analysed: an endpoint in a subset of the studies, from rows of certain tiers.

    Parameters
    ----------
    endpoint : str
    subset : str
        A rule over columns of studies.csv, defined in subsets.csv.
    tiers : str
        Evidence tiers that count, such as "AB"; rows without a tier always count.
    study_set : {"review", "extension", "all"}
        The reanalysed review's studies, the later ones, or both; studies without `in_review` always count.
    early_landmarks : bool
        Whether survival printed before half the horizon may stand for a study's constant hazard.
    without : tuple of str
        Studies that are left out by name.
    retrospective : bool
        Whether retrospective studies count.
    horizon : float or None
        Months at which survival is read, and by which a study's row is chosen; None takes the endpoint's own, else 12.
    """

    endpoint: str
    subset: str = ALL
    tiers: str = "AB"
    study_set: str = "review"
    early_landmarks: bool = True
    without: tuple[str, ...] = ()
    retrospective: bool = False
    horizon: float | None = None


@dataclass(frozen=True)
class Sampler:
    """How long and how carefully is sampled.

    Parameters
    ----------
    chains, tune, draws : int
        Chains, and draws per chain before and after adaptation ends.
    target_accept : float
        High, since a short step costs little here and boundary posteriors (no heterogeneity, all successes) need it.
    """

    chains: int = 4
    tune: int = 500
    draws: int = 5000
    target_accept: float = 0.95


_LONGEST = 80
NUTS, EXACT, IMPORTANCE = "nuts", "exact", "importance"
HEADLINE = Sampler()
BESIDE = Sampler(draws=2500)
INDEPENDENT = Sampler(draws=1000)  # independent draws, of which few are worth many of a chain
QUICK = Sampler(tune=400, draws=2500)  # with fewer, many fits need a second attempt, and take longer in all
REGRESSION = Sampler(tune=400, draws=1200, target_accept=0.9)
QUICK_REGRESSION = Sampler(tune=300, draws=500, target_accept=0.9)


def more_careful(sampler: Sampler, remedy: str) -> Sampler:
    """The settings of a second and last attempt: "longer" chains, or "careful", shorter steps as well."""
    steps = 0.995 if remedy == "careful" else sampler.target_accept
    return replace(sampler, draws=4 * sampler.draws, target_accept=steps)


@dataclass(frozen=True)
class Job:
    """One fit to be made.

    Parameters
    ----------
    question : Question
    model : str or None
        None takes the headline model of the endpoint's kind.
    priors : tuple of (name, expression)
        Replaces the model's default priors of these names, such as ("rho", "Beta(1, 10)").
    seed : int
        Of the run; the fit's own seed is derived from it.
    engine : {"nuts", "exact", "importance"}
        Sampling, quadrature over the hyperparameters, or, for regressions, independent weighted draws.
    fallback : bool
        Whether chains stand in where quadrature gives no result.
    """

    question: Question
    model: str | None = None
    priors: tuple[tuple[str, str], ...] = ()
    sampler: Sampler = HEADLINE
    seed: int = 1
    level: float = 0.95
    engine: str = NUTS
    fallback: bool = False


def derive_seed(seed: int, *parts: str) -> int:
    """A seed of 31 bits for one fit, from what is fitted: adding a fit moves no other, equal rows give equal draws."""
    digest = hashlib.sha256("|".join([str(seed), *parts]).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def file_name(job: Job, model: str) -> str:
    """Such as cr.beta_binomial.all.AB.nc: endpoint, model, subset and tiers, then what departs from the default."""
    question = job.question
    parts = [question.endpoint, model, question.subset, question.tiers]
    parts += [question.study_set] if question.study_set != "review" else []
    parts += [] if question.early_landmarks else ["no_early"]
    parts += [f"without-{_listed(question.without)}"] if question.without else []
    parts += ["retrospective"] if question.retrospective else []
    parts += ["exact"] if job.engine == "exact" else []
    parts += ["quick"] if job.sampler == QUICK else []
    parts += [f"{question.horizon:g}m"] if question.horizon else []
    parts += [f"level{job.level:g}"] if job.level != Job.level else []
    parts += [f"priors-{hashlib.sha256(repr(job.priors).encode()).hexdigest()[:8]}"] if job.priors else []
    return ".".join([*parts, "nc"])


def _listed(names: tuple[str, ...]) -> str:
    """The names, or their digest where they would make a file name too long."""
    text = "+".join(names)
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()[:8]
