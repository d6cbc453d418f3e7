"""A running explorer and a browser that looks at it; `python -m tests.explorer.browsing` measures its speed."""

import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = shutil.which("chromium")
_ROOT = Path(__file__).resolve().parents[2]
# The element changes when the answer has come; Shiny marks it while it waits for one.
_SETTLED = """before => { const result = document.querySelector("#result");
  return result.innerHTML && result.innerHTML !== before && !result.classList.contains("recalculating"); }"""
# Milliseconds from a change of a field to the first answer that is drawn.
_TIMED = """([name, value, checked]) => new Promise(done => {
  const fields = [...document.querySelectorAll(`#asked [name="${name}"]`)];
  const field = fields.find(one => one.type !== "checkbox" || one.value === value), started = performance.now();
  const before = document.querySelector("#command").textContent;
  const watch = new MutationObserver(() => { const now = document.querySelector("#command");
    if (now && now.textContent !== before) { watch.disconnect(); done(performance.now() - started); } });
  watch.observe(document.querySelector("#result"), {childList: true, subtree: true});
  if (field.type === "checkbox") field.checked = checked; else field.value = value;
  field.dispatchEvent(new Event("input", {bubbles: true}));
})"""


@contextmanager
def explorer(*options: str) -> Iterator[str]:
    """The address of a running explorer, which ends by an interrupt as a user ends it."""
    process = subprocess.Popen([sys.executable, "-m", "analysis", "explore", "--no-browser", *options], cwd=_ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        code, said = process.wait(60), process.stderr.read()
    assert (code, said) == (130, "The page is closed.\n")


@contextmanager
def browser() -> Iterator[object]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


def opened(address: str, context: object) -> object:
    """The page with its first numbers; `page.noticed` has what it should not do: complain, or ask elsewhere."""
    page = context.new_page()
    page.noticed = []
    page.on("console", lambda message: page.noticed.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.noticed.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "data:", "blob:"))
            else page.noticed.append(request.url))
    page.goto(address)
    page.wait_for_selector("#result .now")
    return page


def changed(page: object, change: Callable[[], object]) -> str:
    """What the result says once a change has been answered."""
    before = page.inner_html("#result")
    change()
    page.wait_for_function(_SETTLED, arg=before)
    return page.inner_text("#result")


def pooled(page: object) -> str:
    """The number that the page leads with."""
    return page.inner_text(".now .pooled strong")


def _measure() -> None:
    """200 scripted changes, and twenty windows at once."""
    started = time.perf_counter()
    with explorer() as address, browser() as running:
        print(f"address printed after {time.perf_counter() - started:.1f} s")
        page = opened(address, running.new_context())
        studies = page.eval_on_selector_all("input[name=study]:enabled", "all => all.map(one => one.value)")
        ticks = [("study", study, ticked) for study in studies for ticked in (False, True)]
        cycle = [*ticks, ("tier", "C", True), ("tier", "C", False), ("set", "all", None), ("set", "review", None),
                 ("beta_binomial.rho", "Beta(1.0, 10.0)", None), ("beta_binomial.rho", "Beta(1.0, 4.0)", None),
                 ("model", "logit_normal", None), ("model", "beta_binomial", None), ("endpoint", "os", None),
                 ("horizon", "24", None), ("horizon", "12", None), ("endpoint", "cr", None)]
        taken: dict[str, list[float]] = {}
        for at in range(200):
            name, *rest = cycle[at % len(cycle)]
            page.wait_for_selector(f'#asked [name="{name}"]')
            page.wait_for_timeout(100)
            taken.setdefault(name, []).append(page.evaluate(_TIMED, [name, *rest]))
        every = sorted(value for values in taken.values() for value in values)
        print(f"{len(every)} changes: median {statistics.median(every):.0f} ms, 95th percentile "
              f"{every[int(0.95 * len(every))]:.0f} ms; " + ", ".join(
                  f"{name} {statistics.median(values):.0f}" for name, values in taken.items()))
        windows = [opened(address, running.new_context()) for _ in range(20)]
        for at, window in enumerate(windows):
            change = ["study", studies[at % len(studies)], False] if at < 10 else ["tier", "AB"[at % 2], False]
            window.evaluate(f"change => {{ window.taken = ({_TIMED})(change) }}", change)
        print("20 windows at once, ms: " + " ".join(
            f"{window.evaluate('() => window.taken'):.0f}" for window in windows))


if __name__ == "__main__":
    _measure()
