"""`explore`: a page on this computer that answers back; it ends with Ctrl-C."""

import argparse
import secrets
import threading
import webbrowser

from analysis.commands.printing import print_json
from analysis.evidence.loading import DEFAULT_DATA, load
from analysis.system import interrupts
from analysis.system.errors import UsageError

INSTALL = 'python -m pip install "shiny>=1.8,<2"'


def run(options: argparse.Namespace) -> int:
    """Serve the page on the loopback address until a signal ends the program."""
    try:
        import shiny  # noqa: F401 (asked for first, so that what is missing is named)
    except ModuleNotFoundError:
        raise UsageError(f"the page needs Shiny, which is not installed: {INSTALL}") from None
    from analysis.explorer.guard import LOOPBACK, listening
    from analysis.explorer.server import application, serve

    evidence, token = load(options.data), secrets.token_urlsafe(24)
    app = application(evidence, "" if options.data == DEFAULT_DATA else str(options.data), token)
    opened = listening(options.port)
    port = opened.getsockname()[1]
    address = f"http://{LOOPBACK}:{port}/{token}/"
    interrupts.parting = "The page is closed."
    if options.json:
        print_json({"address": address})
    else:
        print(f"{address}\nOnly this address opens the page, and only on this computer. Ctrl-C ends it.", flush=True)
    if not options.no_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    serve(app, opened, token=token, port=port)
    return 0
