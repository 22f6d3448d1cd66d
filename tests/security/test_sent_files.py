"""Files that somebody sent and that claim more than they hold or point elsewhere; and folders that are not ours."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sr.data.command import main as cache
from sr.models.weights import read_weights
from sr.upscale.command import main as upscale
from tests.small_videos import write_video

WEIGHTS: dict[str, tuple[Any, str]] = {
    "400 GB in 40 bytes": ({"w": torch.zeros(1).expand(10**11)}, "w claims 100000000000 values and holds 1"),
    "sparse": ({"w": torch.eye(2).to_sparse()}, "w is a sparse_coo tensor"),
    "without values": ({"w": torch.empty(2, device="meta")}, "w is a meta tensor"),
    "complex": ({"w": torch.zeros(2, dtype=torch.complex64)}, "w is a complex tensor"),
    "quantized": ({"w": torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)}, "w is a quantized tensor"),
    "no tensor": ({"state_dict": {"net.w": 5}, "pytorch-lightning_version": "2"}, "w is a int"),
    "a list": ({"state_dict": [1], "pytorch-lightning_version": "2"}, "holds no state dict of tensors"),
    "nothing": ({"pytorch-lightning_version": "2"}, "holds no state dict of tensors"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_are_no_plain_tensors(name: str, tmp_path: Path) -> None:
    content, message = WEIGHTS[name]
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=message) as caught:
        read_weights(tmp_path / "w.pth")
    assert str(caught.value).startswith(f"{tmp_path}/w.pth") and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["hls", "concat", "dash"])
def test_a_video_that_is_a_list_of_other_files(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_video(tmp_path / "other.mp4", audio=None)
    lists = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other.name}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {other.name}\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f"<Representation><BaseURL>{other.name}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    }
    sent = tmp_path / "sent.mp4"
    sent.write_text(lists[kind])
    assert upscale([str(sent), str(tmp_path / "large.mp4")]) == 1
    assert "is no video that can be read" in capsys.readouterr().err
    assert not (tmp_path / "large.mp4").exists()


def test_no_folder_but_a_map_is_removed_from_a_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("site", "0" * 31, "0" * 32):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.json").write_text(json.dumps({"images": [{"name": "\x1b[31m[bold]"}]}))
        (tmp_path / name / "pixels.u8").touch()
    assert cache(["--cache", str(tmp_path)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert cache(["--cache", str(tmp_path), "--remove", "0"]) == 0
    assert {path.name for path in tmp_path.iterdir()} >= {"site", "0" * 31} and not (tmp_path / ("0" * 32)).exists()
    (tmp_path / ("1" * 32)).mkdir()
    (tmp_path / ("1" * 32) / "index.json").write_text("[5]")
    assert cache(["--cache", str(tmp_path)]) == 0
