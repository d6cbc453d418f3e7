"""Numbers of other programs; each file says where its own come from."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent
PUBLIC_SETS = {name: _FOLDER / name for name in ("real_as", "real_pritz", "real_debruin", "real_hannum", "real_begg")}


def peers() -> dict[str, Any]:
    """What R packages return on public data."""
    return json.loads((_FOLDER / "peers.json").read_text())


def recorded() -> dict[str, Any]:
    """Posteriors found by two independent routes."""
    return json.loads((_FOLDER / "section5.json").read_text())


def public_peers() -> dict[str, Any]:
    """What R packages return on the evidence directories of `PUBLIC_SETS`, which lie beside this file."""
    return json.loads((_FOLDER / "public_sets.json").read_text())
