"""Write requirements.lock.txt: the newest versions that pyproject.toml allows, with all they need."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Every package of the environment: run, tests and build. `make setup` installs exactly this.
# Written by `make lock`; after it carry the changed versions into environment.yml and run `make test`
# on Python 3.12 and 3.13 (make PYTHON=python3.13 test).
"""


def canonical(name: str) -> str:
    """The one spelling of a package's name: lower case, hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Resolve without installing; only wheels, so that setting up never needs a compiler."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = settings["project"]
    wanted = [
        *project["dependencies"],
        *sum(project["optional-dependencies"].values(), []),
        *settings["build-system"]["requires"],
    ]
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    pip += ["--only-binary", ":all:", "--report", "-", *wanted]
    report = json.loads(subprocess.run(pip, check=True, stdout=subprocess.PIPE, text=True).stdout)
    found = (item["metadata"] for item in report["install"])
    pins = sorted((canonical(package["name"]), package["version"]) for package in found)
    lines = "".join(f"{name}=={version}\n" for name, version in pins)
    (ROOT / "requirements.lock.txt").write_text(HEADER + lines)


if __name__ == "__main__":
    main()
