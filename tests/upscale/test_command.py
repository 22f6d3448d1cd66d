"""The command: a picture, a folder, a video, and what it refuses."""

import re

import numpy as np
import pytest

from sr.data.image import read_image
from sr.upscale.command import main


def test_a_picture_with_a_page(photo, tmp_path, net, capsys):
    page = tmp_path / "page.html"
    assert main([str(photo), str(tmp_path / "out.png"), "--compare", str(page)]) == 0
    assert np.array_equal(read_image(tmp_path / "out.png"), net(read_image(photo)))
    assert "out.png: 160x120 (quicksrnet_small x2, fp32 on torch)" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").count("<figure>") == 1


def test_a_folder_with_a_broken_picture_ends_with_status_1(photo, tmp_path, capsys):
    source = tmp_path / "source"
    source.mkdir()
    photo.rename(source / "a.png")
    assert main([str(source), str(tmp_path / "target"), "--scale", "3"]) == 0
    (source / "b.png").write_text("none")
    assert main([str(source), str(tmp_path / "target"), "--scale", "3"]) == 1
    found = capsys.readouterr()
    assert "0 upscaled, 1 done before, 1 failed" in found.out and "failed: " in found.err and "b.png" in found.err


def test_a_video_with_its_report(make_video, tmp_path, capsys):
    pytest.importorskip("av")
    source = make_video()
    command = [
        str(source),
        str(tmp_path / "out.mkv"),
        "--precision",
        "int8",
        "--codec",
        "hevc",
        "--preset",
        "ultrafast",
    ]
    assert main([*command, "--compare", str(tmp_path / "page.html")]) == 0
    shown = capsys.readouterr().out
    assert "12 frames of 256x192" in shown and "bound by processor time" in shown and "bottleneck: " in shown
    assert (tmp_path / "page.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png", "out.png"], "no file or folder missing.png"),
        (["{photo}", "out.png", "--crf", "20"], "--crf: only for a video"),
        (["{text}", "out.png"], "is neither a picture"),
        (["{video}", "out.mp4", "--quality", "90"], "--quality is for pictures; a video has --crf"),
        (["{photo}", "out.png", "--net", "nothing"], "no pretrained net is called 'nothing'"),
        (["{video}", "out.mp4"], "is no video that can be read"),
    ],
)
def test_refusals(photo, tmp_path, capsys, arguments, message):
    (tmp_path / "text.txt").write_text("text")
    (tmp_path / "video.mp4").write_text("text")
    names = {"photo": photo, "text": tmp_path / "text.txt", "video": tmp_path / "video.mp4"}
    assert main([each.format(**names) for each in arguments]) == 1
    assert message in capsys.readouterr().err


def test_without_pyav_a_video_names_the_extra(photo, tmp_path, capsys, uninstall):
    uninstall("av")
    assert main([str(photo.rename(tmp_path / "in.mp4")), str(tmp_path / "out.mp4")]) == 1
    assert re.search(r"videos need PyAV \(.*\): pip install 'sr-mobile\[video\]'", capsys.readouterr().err)
