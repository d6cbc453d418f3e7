"""Numbers of other programs; each file says where its own come from."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent


def peers() -> dict[str, Any]:
    """What R packages return on public data."""
    return json.loads((_FOLDER / "peers.json").read_text())


def recorded() -> dict[str, Any]:
    """Posteriors found by two independent routes."""
    return json.loads((_FOLDER / "section5.json").read_text())
