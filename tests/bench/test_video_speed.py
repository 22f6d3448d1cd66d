"""Videos are timed beside the bound of their own processor time."""

import pytest

from sr.bench.video_speed import idle_seconds, measure_video, photograph, size_of_text

pytest.importorskip("av")
HOW = {"net": "quicksrnet_small", "precision": "int8", "runtime": "onnxruntime", "preset": "ultrafast"}


def test_rows_hold_speed_bound_and_memory() -> None:
    found = measure_video([], num_frames=6, num_rounds=2, frame_size="96x64", **HOW)
    rows = found.figures["rounds"]
    assert [row["round"] for row in rows] == [1, 2]
    for row in rows:
        assert row["share_of_bound"] == pytest.approx(row["fps"] / row["bound_fps"]) and 0 < row["share_of_free"] <= 1
        assert row["cpu_ms"] > 0 and row["bottleneck"] in row["stage_fps"]
    assert "96x64, 6 frames" in found.tables[0].title and "int8 on onnxruntime" in found.setting["net"]


@pytest.mark.parametrize("text", ["96", "96x", "95x64", "8x64", "axb", "96x64x3"])
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"--frame-size is width x height, even numbers of at least 16"):
        size_of_text("--frame-size", text)


def test_settings_of_a_run_are_refused() -> None:
    with pytest.raises(ValueError, match=r"takes no settings of a run, got scale=3"):
        measure_video(["scale=3"], num_frames=1, num_rounds=1, frame_size="96x64", **HOW)


def test_a_photograph_has_any_size_without_seams() -> None:
    photo = photograph(1700, 2500)
    assert (
        photo.shape == (1700, 2500, 3) and (photo[799] == photo[800]).all() and (photo[:, 1199] == photo[:, 1200]).all()
    )


def test_idle_time_is_that_of_all_cores(tmp_path) -> None:
    (tmp_path / "stat").write_text("cpu  100 0 50 1200 34 0 0\ncpu0 1 1 1 1\n")
    import os

    assert idle_seconds(tmp_path / "stat") == 1234 / os.sysconf("SC_CLK_TCK")
    assert idle_seconds(tmp_path / "none") > 0
