"""Names of degraded test sets: what they mean, and what is refused."""

import pytest

from sr.data.degradation.named_copies import named_copy


@pytest.mark.parametrize(
    ("name", "clean", "shown"),
    [
        ("set5_h264_qp32", "set5", "qp=(32, 32)"),
        ("bsd100_hevc_qp30-38", "bsd100", "codecs=('hevc',), qp=(30, 38)"),
        ("set5_jpeg_q60", "set5", "Jpeg(quality=(60, 60))"),
        ("my_own_set_jpeg_q50-90", "my_own_set", "Jpeg(quality=(50, 90))"),
        ("gaming_test_render", "gaming_test", "PointSampling(kernel='cubic')"),
        ("set14_camera", "set14", "Camera(blur=(0.3, 0.7)"),
    ],
)
def test_a_name_tells_the_set_and_its_degradation(name, clean, shown):
    found, degradation = named_copy(name)
    assert found == clean
    assert shown in repr(degradation.steps)


@pytest.mark.parametrize("name", ["set5", "h264_qp32", "set5_h264", "set5_qp32", "camera"])
def test_other_names_are_clean_sets(name):
    assert named_copy(name) == (name, None)


@pytest.mark.parametrize("name", ["set5_h264_qp60", "set5_jpeg_q0", "set5_hevc_qp38-30"])
def test_values_out_of_range_name_the_set(name):
    with pytest.raises(ValueError, match=f"test set '{name}': data.degradation.steps"):
        named_copy(name)
