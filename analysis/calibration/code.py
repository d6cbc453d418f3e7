"""A digest of the code that a calibration speaks about: it changes with the mathematics, not with comments."""

import ast
import hashlib
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_EXACT = "analysis/exact"


def code_sha256(model: str) -> str:
    """Digest of the model's module, the modules of `models` that it imports, and the exact engine.

    Taken over the syntax trees without docstrings and positions, so that comments, layout and the version of Python
    do not matter.
    """
    paths = {*_with_imports(_ROOT / "models" / f"{model}.py"), *(_ROOT / _EXACT).glob("*.py")}
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(_ROOT).as_posix()}\n{meaning(path.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()


def meaning(source: str) -> str:
    """The syntax tree of a source text without docstrings, comments and positions, as text."""
    return _dump(ast.parse(source))


def _dump(node: object) -> str:
    if isinstance(node, list):
        return f"[{','.join(_dump(item) for item in node if not _is_docstring(item))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    # What is absent is left out: later versions of Python have more fields, empty in code written for earlier ones.
    fields = [f"{name}={_dump(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
    return f"{type(node).__name__}({','.join(fields)})"


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _with_imports(path: Path) -> set[Path]:
    """The module and the modules of `models` that it imports, directly or not."""
    found, waiting = set(), [path]
    while waiting:
        one = waiting.pop()
        found.add(one)
        tree = ast.parse(one.read_text(encoding="utf-8"))
        names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        own = {_ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("models.")}
        waiting += own - found - set(waiting)
    return found
