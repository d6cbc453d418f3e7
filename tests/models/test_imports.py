"""The order of the house: imports go one way, models read no files, and no file needs a table of contents."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = sorted(path for folder in ("models", "analysis") for path in (_ROOT / folder).rglob("*.py"))
_READS = {
    "open",
    "read_text",
    "read_bytes",
    "read_csv",
    "write_text",
    "write_bytes",
    "loadtxt",
    "genfromtxt",
    "Path",
}
_SAMPLES = {"sample", "savefig", "subplots"}


def _id(path: Path) -> str:
    return str(path.relative_to(_ROOT))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Names of modules, without what stands under `if __name__ == "__main__"`: scripts may start it."""
    scripts = [
        node for node in tree.body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
    ]
    inside = {id(node) for script in scripts for node in ast.walk(script)}
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _calls(tree: ast.Module) -> set[str]:
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        for function in functions
    }


def test_there_is_something_to_check() -> None:
    assert {"models/beta_binomial.py", "analysis/fitting.py"} <= {_id(path) for path in _SOURCES}


@pytest.mark.parametrize("path", _SOURCES, ids=_id)
def test_imports_go_one_way(path: Path) -> None:
    forbidden = {"tests", "analysis"} if path.parent.name == "models" else {"tests"}
    found = {name.split(".")[0] for name in _imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert not found & forbidden


@pytest.mark.parametrize("path", [path for path in _SOURCES if path.parent.name == "models"], ids=_id)
def test_models_read_no_files_and_do_not_sample(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not _calls(tree) & (_READS | _SAMPLES)
    assert not {name.split(".")[0] for name in _imports(tree)} & {
        "pathlib",
        "os",
        "io",
        "pandas",
        "matplotlib",
        "nutpie",
    }


@pytest.mark.parametrize("path", _SOURCES, ids=_id)
def test_modules_and_functions_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [node.name for node in functions if node.end_lineno - node.lineno + 1 > 60] == []
