"""Estimates compared: of two certificates, and of two sets of options with the real compiler."""

import json
from pathlib import Path
from typing import Any

import pytest

from sr.bench.command import main


def certificate(folder: Path, qairt: str, **estimates: int) -> Path:
    """Write a certificate with the estimates that an export has."""
    folder.mkdir()
    rows: list[dict[str, Any]] = [{"chip": chip, "estimate_us": us} for chip, us in estimates.items()]
    rows.append({"chip": "SM8450", "missing": "no estimate"})
    content = {"hexagon": {"estimates": rows, "compiler": {"package": "onnxruntime-qnn 2.7.0", "qairt": qairt}}}
    (folder / "certificate.json").write_text(json.dumps(content))
    return folder


def test_two_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = certificate(tmp_path / "a", "2.42.0", SA8540P=2000, SA8775P=800)
    after = certificate(tmp_path / "b", "2.51.0", SA8775P=1600)
    file = tmp_path / "out.json"
    assert main(["compiler", "--certificates", str(before), str(after / "certificate.json"), "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "QAIRT 2.42.0, us" in printed and "QAIRT 2.51.0, us" in printed and "only in one of them: SA8540P" in printed
    (row,) = json.loads(file.read_text())["figures"]["chips"]
    assert row == {"chip": "SA8775P", "first_us": 800, "second_us": 1600, "ratio": 2.0}


@pytest.mark.aimet
@pytest.mark.qnn
def test_two_sets_of_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.json"
    net = [
        "model=quicksrnet",
        "model.f=8",
        "model.m=0",
        "size=64x96",
        "export.estimates=[SA8775P]",
        "export.tail=plain",
    ]
    sets = ["--first", "vtcm_mb=2", "--second", "vtcm_mb=8"]
    assert main(["compiler", *net, *sets, "--json", str(file)]) == 0
    (row,) = json.loads(file.read_text())["figures"]["chips"]
    assert row["chip"] == "SA8775P" and row["first_us"] > 0 and row["second_us"] > 0
    assert "vtcm_mb=2, us" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--certificates", "none", "none"], "none has no certificate: give a run folder"),
        (["--certificates", "a", "b", "scale=2"], "--certificates stands alone, got scale=2: give --certificates"),
        (["model=quicksrnet_small"], "there are no two sets of options to compare: give --certificates"),
        (["--first", "x=1", "--second", "x=1"], "there are no two sets of options to compare"),
        (["--first", "x"], "an option is NAME=VALUE, got 'x'"),
        (["--certificates", "empty", "empty"], "has no estimates; export with export=hexagon"),
        (["--certificates", "a", "b"], "no chip is in both: SA8540P and SA8775P"),
    ],
)
def test_what_is_refused(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    certificate(tmp_path / "a", "2.42.0", SA8540P=2000)
    certificate(tmp_path / "b", "2.51.0", SA8775P=1600)
    certificate(tmp_path / "empty", "2.51.0")
    assert main(["compiler", *arguments]) == 1
    assert message in capsys.readouterr().err
