"""Likelihoods of counts as functions of the log hazard theta; both are log-concave."""

from models.backend import Array, Backend
from models.marginal import Concave


def poisson(counts: Array, *, on: Backend) -> Concave:
    """Events in person-months; `counts` of shape (2, k)."""
    events, time = counts[0], counts[1]

    def expected(theta: Array) -> Array:
        return time * on.exp(on.clip(theta, -700.0, 700.0))

    return Concave(value=lambda theta: events * theta - expected(theta), slope=lambda theta: events - expected(theta),
                   curvature=expected, guess=on.log((events + 0.5) / time), guess_variance=1.0 / (events + 0.5))


def binomial(landmarks: Array, *, on: Backend) -> Concave:
    """Events by a landmark, person-months of the patients without, months of the landmark; `landmarks` of shape (3, k).

    With u = h t, log(1 - exp(-u)) has the slope g = u / (exp(u) - 1) in log u, which falls by g (g + u - 1).
    """
    events, time, months = landmarks[0], landmarks[1], landmarks[2]

    def ratio(theta: Array) -> tuple[Array, Array, Array]:
        u = months * on.exp(on.clip(theta, -500.0, 500.0))
        had = -on.expm1(-u)
        return u, on.log(had), u * on.exp(-u) / had

    def value(theta: Array) -> Array:
        u, log_had, _ = ratio(theta)
        return events * log_had - time / months * u

    def slope(theta: Array) -> Array:
        u, _, g = ratio(theta)
        return events * g - time / months * u

    def curvature(theta: Array) -> Array:
        u, _, g = ratio(theta)
        return events * g * (g + u - 1.0) + time / months * u

    patients = events + time / months
    survival = (time / months + 0.5) / (patients + 1.0)
    log_survival = on.log(survival)
    return Concave(value=value, slope=slope, curvature=curvature, guess=on.log(-log_survival / months),
                   guess_variance=(1.0 - survival) / (patients * survival * log_survival**2))
