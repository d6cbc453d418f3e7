"""Statistical models: one file per model, found by its MODEL value. Nothing here reads a file, samples or plots."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from models.model import Model

_broken: dict[str, str] = {}


@cache
def all_models() -> dict[str, Model]:
    """Every model by name, the headline of each kind first; files that are broken are left out (see `broken`)."""
    models: dict[str, Model] = {}
    for name in sorted(module.name for module in iter_modules(__path__)):
        try:
            model = getattr(import_module(f"{__name__}.{name}"), "MODEL", None)
            if model is None:
                continue
            if not isinstance(model, Model):
                raise TypeError(f"MODEL is no models.model.Model but {type(model).__name__}")
            if model.name in models:
                raise ValueError(f"another file has a model {model.name} already")
            models[model.name] = model
        except Exception as error:  # whatever a stranger's file does, the other models are not to suffer
            _broken[f"{name}.py"] = " ".join(f"{type(error).__name__}: {error}".split())
    ranked = sorted(models.values(), key=lambda model: (model.kind, model.rank, model.name))
    return {model.name: model for model in ranked}


def broken() -> dict[str, str]:
    """Why a file offers no model, by its name; empty until the models were looked up."""
    return dict(_broken)


def models_of(kind: str) -> list[Model]:
    """The models of one kind of endpoint, the headline first."""
    return [model for model in all_models().values() if model.kind == kind]
