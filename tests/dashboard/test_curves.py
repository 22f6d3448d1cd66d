"""Training logs as curves."""

from pathlib import Path

from sr.dashboard.curves import curves


def write_log(folder: Path, version: int, lines: str) -> None:
    (folder / f"logs/version_{version}").mkdir(parents=True)
    (folder / f"logs/version_{version}/metrics.csv").write_text("epoch,step,train/loss,float/set5/psnr_y_db\n" + lines)


def test_a_resumed_run_has_one_curve_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    write_log(tmp_path, 0, ",10,0.5,\n,20,0.4,\n,30,0.9,\n")
    write_log(tmp_path, 1, ",30,0.3,\n,40,0.2,\n,50,nan,\n,50,,37.1\n,")
    assert curves(tmp_path) == {"train/loss": [(10, 0.5), (20, 0.4), (30, 0.3), (40, 0.2)]}


def test_no_log_is_no_curve(tmp_path: Path) -> None:
    assert curves(tmp_path) == {}
