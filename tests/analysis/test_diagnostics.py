"""The gate: a good set of draws passes, and each rule alone can stop a bad one."""

import numpy as np
import pytest
import xarray as xr

from analysis.cases.settings import HEADLINE, more_careful
from analysis.inference.diagnostics import diagnose

_CHAINS, _DRAWS = 4, 2000


def _good(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(_CHAINS, _DRAWS))


def _stats(energy: np.ndarray | None = None, divergences: int = 0) -> xr.Dataset:
    diverging = np.zeros((_CHAINS, _DRAWS), dtype=bool)
    diverging[0, :divergences] = True
    return xr.Dataset(
        {
            "diverging": (("chain", "draw"), diverging),
            "energy": (("chain", "draw"), _good(9) if energy is None else energy),
        }
    )


def _slow(draws: np.ndarray, memory: float) -> np.ndarray:
    """An autoregression, of which about (1 - memory)/(1 + memory) of the draws count."""
    values = draws.copy()
    for at in range(1, values.shape[1]):
        values[:, at] = memory * values[:, at - 1] + np.sqrt(1.0 - memory**2) * draws[:, at]
    return values


def _failures(quantities: dict[str, np.ndarray], stats: xr.Dataset | None = None) -> str:
    return " | ".join(diagnose(quantities, _stats() if stats is None else stats, level=0.95).failures)


def test_good_draws_pass() -> None:
    found = diagnose({"a": _good(1), "tau": np.abs(_good(2))}, _stats(), level=0.95)
    assert found.converged and found.remedy == ""
    assert found.max_rhat < 1.01 and found.divergences == 0
    # 8,000 independent draws: the error of a mean is 1/sqrt(8000) = 0.011 SD, that of a 2.5 % quantile 2.67
    # times it.
    assert found.max_mcse_mean == pytest.approx(0.0112, rel=0.1)
    assert found.max_mcse_limit == pytest.approx(0.030, rel=0.35)


def test_one_divergence_stops_a_fit_and_asks_for_shorter_steps() -> None:
    found = diagnose({"a": _good()}, _stats(divergences=1), level=0.95)
    assert found.failures == ("divergences 1 above 0",)
    assert found.remedy == "careful"


def test_a_chain_elsewhere_stops_a_fit_without_remedy() -> None:
    draws = _good()
    draws[0] += 1.0
    found = diagnose({"a": _good(3), "b": draws}, _stats(), level=0.95)
    assert any(text.startswith("R-hat") for text in found.failures)
    assert found.remedy == ""


def test_slow_chains_ask_for_longer_ones() -> None:
    # 5 % of 8,000 draws are about 400, of which the seed takes some.
    found = diagnose({"a": _slow(_good(4), 0.92)}, _stats(), level=0.95)
    assert any("effective sample size" in text for text in found.failures)
    assert found.remedy in ("longer", "")
    assert (found.remedy == "longer") == all("R-hat" not in text for text in found.failures)


def test_slow_energy_stops_a_fit() -> None:
    assert _failures({"a": _good()}, _stats(energy=_slow(_good(5), 0.95))).startswith("E-BFMI")


def test_energy_that_never_moves_stops_a_fit() -> None:
    assert "E-BFMI" in _failures({"a": _good()}, _stats(energy=np.ones((_CHAINS, _DRAWS))))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_draw_that_is_no_number_stops_a_fit(value: float) -> None:
    draws = _good()
    draws[2, 5] = value
    assert _failures({"a": _good(3), "b": draws}) == "b not finite"


def test_a_quantity_that_never_moves_stops_a_fit() -> None:
    assert _failures({"a": _good(), "b": np.full((_CHAINS, _DRAWS), 0.3)}) == "b did not move"


def test_one_chain_that_never_moves_stops_a_fit() -> None:
    draws = _good()
    draws[1] = 0.1
    assert not diagnose({"a": draws}, _stats(), level=0.95).converged


def test_interval_ends_of_heterogeneity_may_be_less_certain() -> None:
    # 520 independent draws lie between the two limits: 2.67/sqrt(520) = 0.117.
    draws = np.random.default_rng(9).normal(size=(_CHAINS, 130))
    stats = _stats().isel(draw=slice(0, 130))
    strict, loose = (diagnose({name: draws}, stats, level=0.95) for name in ("a", "rho"))
    assert 0.10 < strict.max_mcse_limit < 0.15
    assert any("interval ends / SD" in text for text in strict.failures)
    assert loose.max_mcse_limit_heterogeneity == strict.max_mcse_limit
    assert not any("interval ends" in text for text in loose.failures)


def test_second_attempts() -> None:
    assert more_careful(HEADLINE, "longer").draws == 4 * HEADLINE.draws
    assert more_careful(HEADLINE, "longer").target_accept == HEADLINE.target_accept
    assert more_careful(HEADLINE, "careful").target_accept > HEADLINE.target_accept
    assert HEADLINE.chains == 4 and HEADLINE.draws == 5000
