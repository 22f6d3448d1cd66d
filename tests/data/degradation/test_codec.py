"""H.264 and HEVC by PyAV: any size, no shift of colours, worse at a higher QP; what is missing is refused."""

import numpy as np
import pytest

from sr.data.degradation.codec import Codec, check_codec, coded_frames, moved
from tests.data.degradation.conftest import X2, photo_pair, psnr_db

av = pytest.importorskip("av")


def codec(**changes) -> Codec:
    return Codec(**({"codecs": ["h264"], "qp": [32, 32], "frames": 3, "intra_share": 0, "motion": 3} | changes))


@pytest.mark.parametrize("name", ["h264", "hevc"])
def test_a_higher_qp_is_worse_and_no_qp_is_nearly_exact(pair, name):
    scores = [psnr_db(coded_frames([pair.lr], name, qp)[0], pair.lr) for qp in (1, 26, 40)]
    assert scores[0] > 34 and scores[0] > scores[1] > scores[2] > 20  # at QP 1 chroma alone is lost


@pytest.mark.parametrize("name", ["h264", "hevc"])
def test_colours_have_no_bias(name):
    grey = np.full((64, 64, 3), 101, np.uint8)
    assert abs(coded_frames([grey], name, 10)[0].mean() - 101) < 0.6


@pytest.mark.parametrize("size", [(1, 1), (17, 9), (65, 130)])
def test_any_size_can_be_coded(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert coded_frames([image] * 2, "hevc", 30)[1].shape == image.shape


def test_an_inter_frame_differs_from_an_intra_frame(pair):
    inter, intra = (codec(intra_share=share).apply(pair, X2, np.random.default_rng(0)) for share in (0, 1))
    assert inter.shape == intra.shape == pair.lr.shape
    assert 20 < psnr_db(inter, intra) < 60


def test_frames_of_a_clip_are_one_stream(pair):
    frames = [pair._replace(lr=np.roll(pair.lr, shift, 1)) for shift in range(3)]
    made = codec().apply_clip(frames, np.random.default_rng(0))
    wanted = coded_frames([frame.lr for frame in frames], "h264", 32)
    assert all(np.array_equal(one, other) for one, other in zip(made, wanted, strict=True))


def test_the_kept_frame_is_the_lr_image_and_the_others_move(pair):
    assert moved(pair, [1, 2], 0) is pair.lr
    shifted = moved(pair, [2, 0], 1)  # an LR pixel down
    assert psnr_db(shifted[4:], pair.lr[3:-1]) > 30 > psnr_db(shifted[4:], pair.lr[4:])


def test_frames_of_several_sizes_are_refused(pair):
    with pytest.raises(ValueError, match=r"must have one size, got 32x24, 64x48; split the clip"):
        coded_frames([pair.lr, photo_pair(48, 64).lr], "h264", 30)


def test_a_codec_that_pyav_lacks_is_refused_at_once(monkeypatch):
    class WithoutX265:
        """PyAV as some Linux distributions build it."""

        __version__, error = av.__version__, av.error

        class codec:
            @staticmethod
            def Codec(name, mode):
                return av.codec.Codec("no such codec" if name == "libx265" else name, mode)

    monkeypatch.setattr("sr.data.degradation.codec.import_av", lambda: WithoutX265)
    check_codec("h264")
    with pytest.raises(ValueError, match=r"lacks libx265, which hevc needs .*install the wheel of PyAV .*codecs"):
        codec(codecs=["h264", "hevc"]).check()


def test_without_pyav_the_message_says_what_to_install(uninstall):
    uninstall("av")
    with pytest.raises(ValueError, match=r"videos need PyAV .*pip install 'sr-mobile\[video\]'"):
        codec().check()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codecs": ["vp9"]}, r"codecs is a list of h264, hevc, got \['vp9'\]"),
        ({"codecs": []}, r"codecs is a list of h264, hevc, got \[\]"),
        ({"qp": [20, 52]}, r"qp is a number from 0 to 51, got 52"),
        ({"frames": 0}, r"frames is a whole number from 1 to 32, got 0"),
        ({"intra_share": 2}, r"intra_share is a number from 0 to 1, got 2"),
    ],
)
def test_wrong_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        codec(**changes)
