"""The examples of docs/api.md run as they stand, one after the other."""

import re
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.aimet
def test_the_examples_of_the_document_run(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (repo_root / "docs/api.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks:
        exec(compile(block, "docs/api.md", "exec"), names)
    assert names["large"].shape == (600, 902, 3)
    assert (tmp_path / "kit/certificate.json").is_file()
    psnr_db, ssim, name = capsys.readouterr().out.splitlines()[0].split()
    assert float(psnr_db) > 30 and 0.8 < float(ssim) < 1 and name == "photo_0"
