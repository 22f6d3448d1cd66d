"""What is kept of a grid of estimates, and the share that a net saves without its residual."""

import json
from pathlib import Path

import pytest

from sr.results.kept_estimates import as_kept, read_estimates, reduced_estimates, saved_share


def test_estimates_without_their_machine(grid: Path, tmp_path: Path) -> None:
    kept = reduced_estimates(grid)
    assert [row["microseconds"] for row in kept.nets] == [{"SA8775P": 400}, {"SA8775P": 500}]
    assert kept.command == (
        "python -m sr.bench htp model=quicksrnet_small model.residual=none,input_to_output size=512x512"
    )
    assert "processor" not in json.dumps(as_kept(kept))
    (tmp_path / "kept.json").write_text(json.dumps(as_kept(kept)))
    assert read_estimates(tmp_path / "kept.json") == kept


def test_the_share_saved_without_a_residual(grid: Path) -> None:
    plain, with_residual = reduced_estimates(grid).nets
    assert saved_share(plain, [plain, with_residual], "SA8775P") == pytest.approx(0.2)
    assert saved_share(plain, [plain], "SA8775P") is None, "nothing to compare with"
    spatial = with_residual | {"model": with_residual["model"] | {"residual": "nearest"}}
    assert saved_share(plain, [spatial], "SA8775P") is None, "no residual of a paper"
    other = with_residual | {"lr_height": 256}
    assert saved_share(plain, [other], "SA8775P") is None, "another size"


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"figures": {}}')
    with pytest.raises(ValueError, match="is not a file of `sr bench htp --json` of this version"):
        reduced_estimates(path)
    with pytest.raises(ValueError, match="holds no kept estimates"):
        read_estimates(path)
    path.write_text('{"figures": {"nets": []}, "setting": {"overrides": []}, "git": {}, "versions": {}}')
    with pytest.raises(ValueError, match="has no net with an estimate"):
        reduced_estimates(path)
