"""The page's server: one session for each window, its evidence and choices, and what follows from them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
from shiny import App, Inputs, Outputs, Session, reactive, render, req, ui

from analysis.cases.selection import horizon_of, subset_names
from analysis.cases.settings import Job
from analysis.drawing.html import rendered, templates
from analysis.evidence.directory import Evidence
from analysis.evidence.problems import EvidenceError
from analysis.explorer import files, views
from analysis.explorer.guard import Guard
from analysis.explorer.state import MOST_LISTED, asked, first_job, models_on_offer, priors_on_offer, studies_on_offer
from analysis.explorer.views import Refused, View, or_why, refusal
from analysis.inference.posterior import forget
from analysis.results.results import Results
from analysis.results.terminal import no_problem
from analysis.system.errors import UsageError
from models import all_models

_QUICK, _SLOW = ThreadPoolExecutor(4, "quick"), ThreadPoolExecutor(1, "slow")
"""Changes are answered beside each other; whole fits, plans and figures one after the other, as matplotlib needs."""

_FIRST = 1
"""Effects come before what is drawn: Shiny's page does not expect a value of what has begun to be computed anew."""

_BREATH, _PAUSE = 0.15, 0.4
"""Seconds without a change, after which what follows from the numbers is computed, and then the whole fit."""


@dataclass(frozen=True)
class _Desk:
    """What one session works on: its evidence, what --data names it, and the job that its form asks for."""

    evidence: reactive.Value[Evidence]
    data: reactive.Value[str]
    job: reactive.Value[Job]

    def put(self, evidence: Evidence, data: str) -> None:
        """Begin with other evidence."""
        self.evidence.set(evidence)
        self.data.set(data)
        self.job.set(first_job(evidence))

    def now(self) -> tuple[Evidence, Job, str]:
        """All three, without being told of changes."""
        with reactive.isolate():
            return self.evidence(), self.job(), self.data()


def application(evidence: Evidence, data: str, token: str) -> App:
    """The page on this evidence.

    Parameters
    ----------
    data : str
        How --data names it; empty for the one that comes with the program.
    token : str
        Of the page's address; scripts that stand in the page have it too, so that no other would run.
    """
    def server(input: Inputs, output: Outputs, session: Session) -> None:
        desk = _Desk(reactive.Value(evidence), reactive.Value(data), reactive.Value(first_job(evidence)))
        _show_rows(desk)
        _show_models(desk)
        _take_evidence(desk, input, session, (evidence, data))
        numbers = _show_result(desk, _follow(desk, input))
        _show_answers(desk, input, numbers)
        _show_design(desk, input)
        _give_files(desk)

    app = App(ui.page_html(str(rendered("explorer/page.html", most_bytes=files.MOST_BYTES))), server)
    app.ui["html"] = app.ui["html"].replace("<script>", f'<script nonce="{token}">')
    app.sanitize_errors = True
    return app


def serve(app: App, opened: socket.socket, *, token: str, port: int) -> None:
    """Answer on a listening socket until the process ends."""
    class Server(uvicorn.Server):
        def capture_signals(self) -> AbstractContextManager[None]:
            return nullcontext()  # signals end this program as they do everywhere else

    config = uvicorn.Config(Guard(app, token=token, port=port), log_level="critical", access_log=False,
                            server_header=False, proxy_headers=False, ws_max_size=2 * files.MOST_BYTES)
    try:
        Server(config).run(sockets=[opened])
    finally:
        # What is being computed is waited for, what waits its turn is not.
        for lane in (_QUICK, _SLOW):
            lane.shutdown(wait=False, cancel_futures=True)


def _task(work: Callable[..., Any], lane: ThreadPoolExecutor, pause: float = 0.0) -> reactive.ExtendedTask:
    """Work in a thread, so that no session waits for another's; what cannot be answered comes back in words."""
    async def run(*given: Any) -> Any:
        await asyncio.sleep(pause)
        return await asyncio.get_running_loop().run_in_executor(lane, or_why(work), *given)

    return reactive.extended_task(run)


def _restart(task: reactive.ExtendedTask, *given: Any) -> None:
    """Ask anew; what was asked before is no longer of interest."""
    task.cancel()
    task(*given)


def _markup(content: Any) -> ui.HTML:
    return ui.HTML(str(refusal(content) if isinstance(content, Refused) else content))


def _distinct(desk: _Desk, of: Callable[[Job], Any]) -> Callable[[], tuple[Evidence, Any]]:
    """The evidence and a part of the job, told only when one changes: fields drawn anew lose what is typed there."""
    last: reactive.Value[Any] = reactive.Value((None, None))

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        evidence, part = desk.evidence(), of(desk.job())
        with reactive.isolate():
            if last()[0] is not evidence or last()[1] != part:
                last.set((evidence, part))

    def told() -> tuple[Evidence, Any]:
        req(last()[0])
        return last()

    return told


def _fields(name: str, *given: Any) -> ui.HTML:
    return ui.HTML(str(getattr(templates().get_template("explorer/controls.html").module, name)(*given)))


def _show_rows(desk: _Desk) -> None:
    """The fields that say which rows count."""
    offered = _distinct(desk, lambda job: (replace(job.question, without=()), job.model))

    @render.ui
    def rows() -> ui.HTML:
        evidence = desk.evidence()
        chosen = desk.now()[1].question.endpoint
        labels = {rule.subset: rule.label or rule.subset for rule in evidence.subsets} | {"all": "all studies"}
        return _fields(
            "rows", [(endpoint.endpoint, endpoint.label) for endpoint in evidence.endpoints], chosen,
            any(study.in_review is not None for study in evidence.studies),
            any(row.tier for row in (*evidence.responses, *evidence.survival)),
            [(name, labels.get(name, name)) for name in subset_names(evidence)],
            any(study.retrospective for study in evidence.studies))

    @render.ui
    def studies() -> ui.HTML:
        evidence, (question, model) = offered()
        return _fields("studies", studies_on_offer(evidence, question, all_models()[model]),
                       desk.now()[1].question.without, MOST_LISTED)


def _show_models(desk: _Desk) -> None:
    """The fields that say how they are analysed, and those of a new trial."""
    answered = _distinct(desk, lambda job: job.question.endpoint)
    chosen = _distinct(desk, lambda job: job.model)

    @render.ui
    def models() -> ui.HTML:
        evidence, name = answered()
        job, endpoint = desk.now()[1], evidence.endpoint(name)
        names = [(model.name, model.name.replace("_", "-")) for model in models_on_offer(endpoint.kind)]
        horizon = horizon_of(endpoint, job.question) if endpoint.kind == "survival" else None
        return _fields("models", names, job.model, horizon)

    @render.ui
    def priors() -> ui.HTML:
        name = chosen()[1]
        return _fields("priors", name, {
            parameter: [(prior.exact(), str(prior)) for prior in offered]
            for parameter, offered in priors_on_offer(all_models()[name]).items()})

    @render.ui
    def trial_fields() -> ui.HTML:
        evidence, name = answered()
        return _fields("trial", name, evidence.endpoint(name).kind)


def _follow(desk: _Desk, input: Inputs) -> reactive.Value[str]:
    """The job follows the form; returns why the last form asks for none, empty where it does."""
    why: reactive.Value[str] = reactive.Value("")

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        form = input.asked()
        evidence, before, _ = desk.now()
        try:
            job = asked(evidence, form)
        except UsageError as error:
            why.set(str(error))
            return
        why.set("")
        if job != before:
            desk.job.set(job)

    return why


def _take_evidence(desk: _Desk, input: Inputs, session: Session, first: tuple[Evidence, str]) -> None:
    """A spreadsheet of the reader's own, for this session alone, and the way back."""
    def read(name: str, content: str) -> Evidence | EvidenceError:
        try:
            return files.uploaded(name, content)
        except EvidenceError as error:
            return error

    reading = _task(read, _QUICK)

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        _restart(reading, input.upload()["name"], input.upload()["content"])

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        evidence = reading.result()
        if isinstance(evidence, Evidence):
            desk.put(evidence, str(evidence.directory))
            session.on_ended(forget)

    @reactive.effect(priority=_FIRST)
    @reactive.event(input.reset)
    def _() -> None:
        if desk.now()[0] is not first[0]:
            desk.put(*first)

    @render.ui
    def checked() -> ui.HTML:
        answer = reading.result()
        if isinstance(answer, Refused):
            return _markup(answer)
        failed = isinstance(answer, EvidenceError)
        problems = answer.problems if failed else answer.notes
        told = f"{len(problems)} problem(s); the evidence on the page is as it was." if failed else \
            f"{answer.directory}: {no_problem(answer)}"
        return _markup(rendered("explorer/checked.html", told=told, problems=problems, failed=failed))


def _show_result(desk: _Desk, why: reactive.Value[str]) -> reactive.ExtendedTask:
    """The numbers and the forest, and after a pause the whole fit; returns the task that gives a View."""
    numbers, fit = _task(views.view_of, _QUICK), _task(files.results_of, _SLOW, _PAUSE)
    late: reactive.Value[Any] = reactive.Value(None)

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        desk.data()
        fit.cancel()
        _restart(numbers, desk.evidence(), desk.job(), desk.data())

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        view = numbers.result()
        if isinstance(view, View):
            _restart(fit, view.evidence, view.job)

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        results = fit.result()
        with reactive.isolate():
            view = numbers.result()
        if isinstance(results, Results) and isinstance(view, View):
            if results.records[0].conflicts or not view.shrunken:
                late.set(results)

    @render.ui
    def result() -> ui.HTML:
        if why():
            return _markup(Refused(why()))
        view = numbers.result()
        return _markup(views.result(view, late()) if isinstance(view, View) else view)

    @render.ui
    def details() -> ui.HTML:
        results = fit.result()
        return _markup(files.details(results) if isinstance(results, Results) else results)

    return numbers


def _show_answers(desk: _Desk, input: Inputs, numbers: reactive.ExtendedTask) -> None:
    """A new trial against the others, and values that may be exceeded: both follow the numbers."""
    expected, exceeded = (_task(work, _QUICK, _BREATH) for work in (views.trial, views.exceedance))

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        form, view = input.trial(), numbers.result()
        given = {**form} if any(form.get(name, [""])[0] for name in ("events", "months", "n")) else {}
        if not isinstance(view, View) or form["of"][0] != view.job.question.endpoint:
            given = {}
        _restart(expected, view, given)

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        form, view = input.threshold() if "threshold" in input else {}, numbers.result()
        if isinstance(view, View):
            _restart(exceeded, view, form)

    @render.ui
    def trial_answer() -> ui.HTML:
        return _markup(expected.result())

    @render.ui
    def exceedance() -> ui.HTML:
        return _markup(exceeded.result())


def _show_design(desk: _Desk, input: Inputs) -> None:
    """The plan of the next trial, when it is asked for."""
    planning = _task(views.design, _SLOW)

    @reactive.effect(priority=_FIRST)
    @reactive.event(input.design)
    def _() -> None:
        _restart(planning, *desk.now(), input.design())

    @reactive.effect(priority=_FIRST)
    def _() -> None:
        now = desk.evidence(), desk.job(), desk.data()
        with reactive.isolate():
            if planning.status() != "initial":
                _restart(planning, *now, {})  # a plan is of the choices that it was asked with

    @render.ui
    def planned() -> ui.HTML:
        return _markup(planning.result())


def _give_files(desk: _Desk) -> None:
    """The tables and the figure of what the page shows."""
    for name, layout in files.TABLES.items():
        _download(desk, f"{name}_csv", f"{name}.csv", lambda results, view, layout=layout: files.table_text(
            results, layout))
    for kind in ("svg", "png"):
        _download(desk, f"figure_{kind}", f"forest.{kind}", lambda results, view, kind=kind: files.figure(
            results, view, kind))


def _download(desk: _Desk, name: str, file: str, make: Callable[[Results, View], str | bytes]) -> None:
    def work(evidence: Evidence, job: Job, data: str) -> str | bytes:
        return make(files.results_of(evidence, job), views.view_of(evidence, job, data))

    async def download() -> AsyncIterator[str | bytes]:
        yield await asyncio.get_running_loop().run_in_executor(_SLOW, work, *desk.now())

    download.__name__ = name
    render.download_button(filename=lambda: f"{desk.now()[1].question.endpoint}.{file}")(download)
