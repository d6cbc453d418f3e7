"""Checksums of the evidence: `python -m tests.data.checksums` verifies them, with --write it renews them and what is
generated from the tables.
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path

from . import coverage
from .tables import FOLDER, Data

NAME = "SHA256SUMS"
REFRESH = "python -m tests.data.checksums --write"


def listing(folder: Path) -> str:
    """Return the digests of every table and text of a folder, in the format of sha256sum."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".csv", ".md"})
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def differences(folder: Path) -> list[str]:
    """Return what the recorded checksums do not agree with, and the command that renews them."""
    path = folder / NAME
    recorded = path.read_text(encoding="utf-8") if path.is_file() else ""
    current = listing(folder)
    if recorded == current:
        return []
    old, new = _by_name(recorded), _by_name(current)
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [f"{NAME} does not fit {', '.join(changed) or 'its own format'}. If the change is meant, run: {REFRESH}"]


def _by_name(text: str) -> dict[str, str]:
    pairs = (line.partition("  ") for line in text.splitlines())
    return {name: digest for digest, _, name in pairs}


def _generate(folder: Path) -> None:
    """Write gaps.md and the coverage table of README.md from the tables, where the folder keeps gaps.csv."""
    data = Data.read(folder)
    if "gaps.csv" not in data.files:
        return
    (folder / "gaps.md").write_text(coverage.gaps(data), encoding="utf-8")
    table = re.compile(r"^\| endpoint \| review A .*?\n(?=\n)", re.M | re.S)
    text = table.sub(lambda _: coverage.coverage(data), data.text("README.md"))
    (folder / "README.md").write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Verify or write; 1 when the checksums are out of date."""
    parser = argparse.ArgumentParser(prog="python -m tests.data.checksums", description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew the checksums instead of verifying them")
    parser.add_argument("--data", type=Path, default=FOLDER, metavar="DIR", help="evidence directory")
    options = parser.parse_args(arguments)
    if options.write:
        _generate(options.data)
        (options.data / NAME).write_bytes(listing(options.data).encode())
        return 0
    problems = differences(options.data)
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
