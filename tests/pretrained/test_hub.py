"""Push and pull through a server that speaks the hub's HTTP, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sr.pretrained.card import CARD, Card
from sr.pretrained.catalogue import NETS
from tests.pretrained import hub_server

pytest.importorskip("huggingface_hub")
CODE = """
import json, os, sys
from pathlib import Path
from sr.pretrained.hub import pull, push
from sr.runs.failures import in_one_line

answers = []
for call, environment in json.loads(sys.argv[1]):
    os.environ.update(environment)
    try:
        answers.append(str(eval(call)))
    except Exception as error:
        answers.append(f"Error: {in_one_line(error)}")
    for key in environment:
        del os.environ[key]
print(json.dumps(answers))
"""
Run = Callable[..., list[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a running hub, and the folder of its repositories."""
    root = tmp_path_factory.mktemp("hub")
    process = subprocess.Popen([sys.executable, hub_server.__file__, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}", root
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def run(server: tuple[str, Path], tmp_path: Path) -> Run:
    """Make calls in one process, each with its environment; returns what each returned, or its error in one line."""

    def call(*calls: tuple[str, dict[str, str]], **environment: str) -> list[str]:
        known = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
        known |= {"HF_ENDPOINT": server[0], "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
        command = [sys.executable, "-c", CODE, json.dumps(calls)]
        done = subprocess.run(command, capture_output=True, text=True, env=known | environment, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return call


def test_a_net_is_pushed_and_pulled(run: Run, server: tuple[str, Path], tmp_path: Path) -> None:
    push = 'push("quicksrnet_small", "me/small", scale=2)'
    pull = f'pull("me/small", name="mine", nets=Path({str(tmp_path / "nets")!r}))'
    answers = run(
        (push, {}),
        (push, {"HF_TOKEN": "hf_wrong"}),
        (push, {"HF_TOKEN": "hf_right"}),
        (pull, {}),
        (pull, {}),
        ('pull("me/nothing")', {}),
        ('pull("a/b/c")', {}),
        (pull.replace("mine", "other"), {}),
        ('pull("me/small", revision="no-such")', {}),
    )
    assert "pushing needs a token of the hub: run `hf auth login`" in answers[0]
    assert "(HTTP 401): set HF_TOKEN to a token that may do this" in answers[1]
    assert "/me/small/commit/" in answers[2] and Path(answers[3]) == tmp_path / "nets/mine_x2"
    assert "there is a pretrained mine x2 already; give this one another --name" in answers[4]
    assert "there is no me/nothing at http://127.0.0.1" in answers[5]
    assert "'a/b/c' is no repository: give <owner>/<name>" in answers[6]
    assert Path(answers[7]) == tmp_path / "nets/other_x2"
    assert "me/small has no such revision; leave --revision out for the newest" in answers[8]
    text = (server[1] / "me/small/README.md").read_text()
    assert "| float | 37.12 / 0.9571 |" in text and "## Licence" in text and "protocol `y`" in text
    card = Card.read(tmp_path / "nets/mine_x2")
    assert card.name == "mine" and card.files == Card.read(NETS / "quicksrnet_small_x2").files
    assert {path.name for path in (tmp_path / "nets/mine_x2").iterdir()} == {CARD, *card.files}


@pytest.mark.parametrize("environment", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}], ids=str)
def test_without_a_connection_one_line_says_so(environment: dict[str, str], run: Run, tmp_path: Path) -> None:
    (answer,) = run((f'pull("me/small", nets=Path({str(tmp_path)!r}))', {}), **environment)
    assert answer.startswith("Error: http://127.0.0.1:") and "cannot be reached" in answer


STRANGERS: list[tuple[dict | None, str]] = [
    ({"net": {"_target_": "os.system", "command": "touch ran"}}, "a file may only name nets of this project"),
    ({"name": "../../evil"}, "--name is a name of one folder"),
    ({"files": {"../secret": {"sha256": "", "kib": 0}}}, "secret"),
    ({"extra": 1}, "is not of this layout (TypeError"),
    (None, "has no card.json: it holds no net"),
]


def test_repositories_of_strangers_are_checked(run: Run, server: tuple[str, Path], tmp_path: Path) -> None:
    source = NETS / "quicksrnet_small_x2"
    right = json.loads((source / CARD).read_text())
    right["files"] = {"float.safetensors": right["files"]["float.safetensors"]}
    calls = []
    for index, (change, _) in enumerate(STRANGERS):
        repo = server[1] / "other" / f"net{index}"
        repo.mkdir(parents=True)
        (repo / "float.safetensors").write_bytes((source / "float.safetensors").read_bytes())
        (repo / "evil.pkl").write_bytes(b"")
        if change is not None:
            (repo / CARD).write_text(json.dumps(right | change))
        calls.append((f'pull("other/net{index}", nets=Path({str(tmp_path / "nets")!r}))', {}))
    for answer, (_, message) in zip(run(*calls), STRANGERS, strict=True):
        assert answer.startswith("Error: ") and message in answer
    assert not list((tmp_path / "nets").iterdir()), "nothing is left behind"
