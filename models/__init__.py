"""Statistical models: one file per model, found by its MODEL value. Nothing here reads a file, samples or plots."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from models.model import Model


@cache
def all_models() -> dict[str, Model]:
    """Every model by name, the headline of each kind first."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    found = [module.MODEL for module in modules if hasattr(module, "MODEL")]
    return {model.name: model for model in sorted(found, key=lambda model: (model.kind, model.rank, model.name))}


def models_of(kind: str) -> list[Model]:
    """The models of one kind of endpoint, the headline first."""
    return [model for model in all_models().values() if model.kind == kind]
