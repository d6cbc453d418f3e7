"""The measurements of speed run on every model that they speak of."""

from analysis import bench


def test_every_model_of_the_table_is_measured(capsys, monkeypatch):
    monkeypatch.setattr(bench, "_SIZES", (4,))
    bench._scaling("Exact posterior", bench._quadrature)
    title, _, *lines = capsys.readouterr().out.strip().splitlines()
    assert title == "Exact posterior"
    assert [line.split()[0] for line in lines if line.endswith("ms")] == ["beta_binomial", "logit_normal", "log_hazard"]
