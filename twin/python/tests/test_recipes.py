"""The recipes of docs/twin/ci.md: their commands as they stand there, in a project of its own."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "twin" / "ci.md"

PYTHON_TEST = """
from urllib.request import Request, urlopen

def test_it_is_called(twin):
    token = twin.details().credentials.access_token
    headers = {"Authorization": "Bearer " + token}
    urlopen(Request(twin.base_url + "/api/v2/users/me.json", headers=headers)).read()
    assert [call.status for call in twin.journal()] == [200]
"""
NODE_TEST = """
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTwin } from 'tokenry-twin';

test('it is called', async () => {
  const twin = await startTwin();
  await fetch(`${twin.baseUrl}/api/v2/users/me.json`);
  assert.equal((await twin.journal()).entries.length, 1);
  await twin.stop();
});
"""


def blocks(kind: str) -> List[str]:
    """The blocks of the page that are written in this language. The program is installed as it was
    built for the tests: another build of it would take minutes and show nothing more."""
    text = PAGE.read_text().replace("cargo install ", "cargo install --debug ")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def block(beginning: str) -> Any:
    """The YAML of the block whose first line begins like this."""
    (text,) = (text for text in blocks("yaml") if text.startswith(beginning))
    return yaml.safe_load(text)


class Project:
    """Somebody's project, with a checkout of Tokenry in it and a test in each language."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tokenry").symlink_to(ROOT, target_is_directory=True)
        for name, text in [
            ("tests/test_export.py", PYTHON_TEST),
            ("test/export.test.js", NODE_TEST),
            ("package.json", '{"private": true, "type": "module"}'),
        ]:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        self.env: Dict[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            # What the registries would bring is in this environment already, from the lock file.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "false",
            "npm_config_offline": "true",
            "CARGO_NET_OFFLINE": "true",
            "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target")),
        }
        del self.env["TOKENRY_BIN"]

    def run(self, command: str) -> str:
        """Runs lines as a runner does; what they print."""
        shell = ["bash", "-e", "-o", "pipefail", "-c", command]
        ran = subprocess.run(
            shell,
            cwd=self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}"
        return ran.stdout


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Gone after its test, whose copy of the program is large."""
    yield Project(tmp_path)
    shutil.rmtree(tmp_path)


def test_github_actions(project: Project) -> None:
    output, path = project.folder / "output", project.folder / "path"
    project.env.update(GITHUB_OUTPUT=str(output), GITHUB_PATH=str(path))
    told = ""
    for step in block("# .github/workflows/test.yml")["jobs"]["test"]["steps"]:
        if "run" in step:
            told += project.run(step["run"])
            added = path.read_text().split() if path.exists() else []
            if added and added[-1] not in project.env["PATH"]:
                project.env["PATH"] = os.pathsep.join([*added, project.env["PATH"]])
    assert re.fullmatch(r"version=[0-9a-f]{40}\n", output.read_text())
    assert "1 passed" in told
    assert "# pass 1" in told
    assert shutil.which("tokenry", path=project.env["PATH"]).startswith(str(project.folder))


def test_gitlab_ci(project: Project) -> None:
    jobs = block("# .gitlab-ci.yml")
    project.run("\n".join(jobs["tokenry"]["script"]))
    for built in jobs["tokenry"]["artifacts"]["paths"]:
        assert (project.folder / built).is_file()
    assert "1 passed" in project.run("\n".join(jobs["python"]["script"]))
    assert "# pass 1" in project.run("\n".join(jobs["node"]["script"]))


def test_make(project: Project) -> None:
    (text,) = blocks("make")
    (project.folder / "Makefile").write_text(text)
    assert "1 passed" in project.run("pip install ./tokenry/twin/python && make test")
    again = project.run("make test")
    assert "cargo" not in again


def test_any_other_language_in_a_shell(project: Project) -> None:
    program(project)
    shown = project.run("\n".join(blocks("sh")))
    assert '"email":"ada@acme.test"' in shown
    assert '"text":"lose-answer route=refresh"' in shown
    assert '"entries":[]' in shown
    assert not (project.folder / "twin.env").exists()


def test_a_service_container(project: Project) -> None:
    program(project)
    services = block("# compose.yaml")["services"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    serve = services["zendesk"]["command"].replace("0.0.0.0", "127.0.0.1").replace("4000", port)
    command = ["tokenry", *shlex.split(serve), "--json", "--stop-with-stdin"]
    pipes: Dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=project.env, **pipes) as twin:
        assert twin.stdout.readline()
        project.env["TOKENRY_BIN"] = "none-is-needed"
        tests = services["tests"]["command"].replace("$$", "$")
        shown = project.run(tests.replace("zendesk:4000", f"127.0.0.1:{port}"))
        assert "1 passed" in shown
        twin.stdin.close()
        twin.stdout.read()


def test_rust() -> None:
    (code,) = blocks("rust")
    assert code in (ROOT / "crates" / "twin" / "tests" / "it" / "recipe.rs").read_text()
    (manifest,) = blocks("toml")
    (path,) = re.findall(r'path = "tokenry/(.*?)"', manifest)
    assert 'name = "tokenry-twin"' in (ROOT / path / "Cargo.toml").read_text()


def program(project: Project) -> None:
    """Puts the program that the tests were given on PATH, under its own name."""
    folder = project.folder / "bin"
    folder.mkdir()
    (folder / "tokenry").symlink_to(os.environ["TOKENRY_BIN"])
    project.env["PATH"] = f"{folder}{os.pathsep}{project.env['PATH']}"
