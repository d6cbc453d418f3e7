"""A case becomes a posterior: quadrature, weighted draws or chains, with checks of each."""
