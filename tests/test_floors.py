"""The order of the house: imports run downward from floor to floor, models read no files, and functions stay short."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]
_SOURCES = sorted(path for folder in ("models", "analysis") for path in (_ROOT / folder).rglob("*.py"))
FLOORS = (
    ("analysis.system",),
    ("analysis.evidence", "models"),
    ("analysis.cases", "analysis.frequentist"),
    ("analysis.inference",),
    ("analysis.results", "analysis.planning"),
    ("analysis.output",),
    ("analysis.drawing",),
    ("analysis.chapters",),
    ("analysis.runs",),
    ("analysis.simulation", "analysis.explorer"),
    ("analysis.commands",),
    ("analysis.__main__", "analysis.bench", "analysis.notebook"),
)
DEEPEST = 14
_READS = {"open", "read_text", "read_bytes", "read_csv", "write_text", "write_bytes", "loadtxt", "genfromtxt", "Path"}
_SAMPLES = {"sample", "savefig", "subplots"}
_NOT_FOR_MODELS = {"pathlib", "os", "io", "pandas", "matplotlib", "nutpie"}


def _id(path: Path) -> str:
    return str(path.relative_to(_ROOT))


def _module(path: Path) -> str:
    parts = path.relative_to(_ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> Iterator[str]:
    """Names of modules, without what stands under `if __name__ == "__main__"`: scripts may start it."""
    tree = _tree(path)
    scripts = [node for node in tree.body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    inside = {id(node) for script in scripts for node in ast.walk(script)}
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                longer = f"{node.module}.{name.name}"
                yield longer if longer in _MODULES else node.module


_MODULES = {_module(path): path for path in _SOURCES}
_GRAPH = {name: {found for found in _imports(path) if found in _MODULES and found != name}
          for name, path in _MODULES.items()}


def _floor(module: str) -> int:
    return next((at for at, rooms in enumerate(FLOORS) for room in rooms
                 if module == room or module.startswith(room + ".")), -1)


def _calls(tree: ast.Module) -> set[str]:
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            for function in functions}


def test_every_module_has_a_floor() -> None:
    assert {"models.beta_binomial", "analysis.inference.fitting"} <= set(_MODULES)
    assert [name for name in _MODULES if _floor(name) < 0 and name != "analysis"] == []


@pytest.mark.parametrize("module", _GRAPH)
def test_imports_run_downward(module: str) -> None:
    here = _floor(module)
    assert [name for name in _GRAPH[module] if _floor(name) > here >= 0] == []
    assert not {name.split(".")[0] for name in _imports(_MODULES[module])} & {"tests"}


@pytest.mark.parametrize("module", [name for name in _GRAPH if name.startswith("analysis.chapters.")])
def test_chapters_do_not_import_each_other(module: str) -> None:
    own = module.split(".")[:3]
    assert [name for name in _GRAPH[module] if name.startswith("analysis.chapters.") and len(name.split(".")) > 3
            and name.split(".")[:3] != own] == []


@pytest.mark.parametrize("module", _MODULES)
def test_what_solves_a_posterior_is_hidden_behind_it(module: str) -> None:
    """Other rooms ask a `Posterior`; the simulations score the quadrature itself, and the benchmark times it."""
    if not module.startswith(("analysis.inference.", "analysis.simulation.", "analysis.bench")):
        assert not _GRAPH[module] & {"analysis.inference.grid"}


def test_there_is_no_circle_and_no_long_way_down() -> None:
    try:
        order = list(TopologicalSorter(_GRAPH).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[other] for other in _GRAPH[name]), default=0)
    assert max(depth.values()) <= DEEPEST


@pytest.mark.parametrize("path", [path for path in _SOURCES if path.parent.name == "models"], ids=_id)
def test_models_read_no_files_and_do_not_sample(path: Path) -> None:
    assert not _calls(_tree(path)) & (_READS | _SAMPLES)
    assert not {name.split(".")[0] for name in _imports(path)} & _NOT_FOR_MODELS


@pytest.mark.parametrize("path", _SOURCES, ids=_id)
def test_functions_stay_short(path: Path) -> None:
    functions = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [node.name for node in functions if node.end_lineno - node.lineno + 1 > 60] == []
