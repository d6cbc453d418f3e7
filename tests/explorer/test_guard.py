"""Without the token, or under another name than this computer's, nothing answers; uploads stay small and in memory."""

import asyncio
import base64
import tempfile
import tomllib

import pytest

from analysis.__main__ import main
from analysis.commands.explore import INSTALL
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError
from analysis.explorer.files import MOST_BYTES, uploaded
from analysis.explorer.guard import Guard, listening
from analysis.system.errors import UsageError

HOST = "127.0.0.1:8123"


def answer(path: str, kind: str = "http", **headers: str) -> list[dict]:
    """What the guard sends for one request; behind it everything is 200, or accepted."""
    async def behind(scope, receive, send):
        assert scope["root_path"] == "/secret"
        await send({"type": "websocket.accept"} if kind == "websocket" else
                   {"type": "http.response.start", "status": 200, "headers": []})

    sent = []

    async def send(message):
        sent.append(message)

    given = {"host": HOST} | headers
    scope = {"type": kind, "path": path, "headers": [(name.encode(), value.encode()) for name, value in given.items()]}
    asyncio.run(Guard(behind, token="secret", port=8123)(scope, None, send))
    return sent


@pytest.mark.parametrize(("path", "headers"), [
    ("/", {}), ("/secrets/", {}), ("/secre/", {}), ("/lib/shiny.js", {}), ("/sécret/", {}), ("", {}),
    ("/secret/", {"host": "evil.example:8123"}), ("/secret/", {"host": "127.0.0.1:80"}), ("/secret/", {"host": ""}),
    ("/secret/", {"origin": "http://evil.example"}), ("/secret/", {"origin": "null"})])
def test_strangers_get_nothing(path, headers):
    assert answer(path, **headers)[0]["status"] == 404
    assert answer(path, "websocket", **headers) == [{"type": "websocket.close", "code": 1008}]


def test_the_token_opens_and_nothing_is_loaded_from_elsewhere():
    (start,) = answer("/secret/", origin=f"http://{HOST}")
    rules = dict(start["headers"])
    assert start["status"] == 200 and rules[b"referrer-policy"] == b"no-referrer"
    assert b"default-src 'none'" in rules[b"content-security-policy"]
    assert answer("/secret/websocket/", "websocket")[0]["type"] == "websocket.accept"
    assert answer("/secret/", host="localhost:8123")[0]["status"] == 200


def test_a_port_that_is_taken_is_said(capsys):
    with listening(0) as opened:
        assert opened.getsockname()[0] == "127.0.0.1"
        assert main(["explore", "--no-browser", "--port", str(opened.getsockname()[1])]) == 2
    assert "cannot be had" in capsys.readouterr().err


def test_without_shiny_the_command_says_what_installs_it(monkeypatch, capsys, root):
    monkeypatch.setitem(__import__("sys").modules, "shiny", None)
    assert main(["explore"]) == 2
    assert INSTALL in capsys.readouterr().err
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert INSTALL.endswith(f'"{project["optional-dependencies"]["explore"][0]}"')


def upload(name: str, data: bytes):
    return uploaded(name, base64.b64encode(data).decode())


SHEET = b"study,endpoint,events,n\nA,resp,3,10\nB,resp,5,12\n"


def test_an_upload_is_the_evidence_of_its_file_and_leaves_none(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = upload("../../my sheet.csv", SHEET)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "my_sheet.csv").write_bytes(SHEET)
    assert found.responses == load(tmp_path / "my_sheet.csv").responses
    assert str(found.directory) == "_.._my_sheet.csv"


def test_problems_of_an_upload_are_those_of_check(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    bad = SHEET.replace(b"3,10", b"13,10").replace(b"5,12", b"x,12")
    with pytest.raises(EvidenceError) as from_page:
        upload("bad.csv", bad)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "bad.csv").write_bytes(bad)
    with pytest.raises(EvidenceError) as from_file:
        load(tmp_path / "bad.csv")
    assert str(from_page.value) == str(from_file.value) and len(from_page.value.problems) == 2


@pytest.mark.parametrize(("name", "data", "told"), [
    ("big.csv", b"x" * (MOST_BYTES + 10), "larger than 2 MB"), ("a.pdf", b"x", "no spreadsheet"),
    ("", b"x", "no spreadsheet"), (".csv", b"x", "no spreadsheet"), ("/etc/passwd", b"x", "no spreadsheet")])
def test_what_is_no_small_spreadsheet_is_refused(name, data, told):
    with pytest.raises(UsageError, match=told):
        upload(name, data)


def test_an_upload_that_is_cut_is_refused():
    with pytest.raises(UsageError, match="did not arrive whole"):
        uploaded("a.csv", "===")
    with pytest.raises(EvidenceError):
        upload("broken.xlsx", b"PK\x03\x04 nothing")


@pytest.mark.parametrize("name", ["-x.csv", "..-x.csv", "/tmp/../x.csv"])
def test_no_name_is_a_path_or_an_option(name):
    sheet = base64.b64encode(b"study,endpoint,events,n\nA,CR,3,10\nB,CR,5,12\n").decode()
    assert str(uploaded(name, sheet).directory)[0] in "_tx" and "/" not in str(uploaded(name, sheet).directory)
