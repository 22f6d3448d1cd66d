import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from sr.quantization.scheme import Scheme


def test_float_is_a_scheme(make_scheme):
    scheme = make_scheme(name="fp32", weight_bits=32, activation_bits=32)
    assert scheme.is_float and scheme.stages == ()


def test_stages_become_a_tuple(make_scheme, make_qat):
    assert isinstance(make_scheme(stages=[make_qat()]).stages, tuple)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_bits": 7}, "quantization.weight_bits is one of 4, 8, 16, 32; got 7"),
        ({"activation_bits": 4}, "quantization.activation_bits is one of"),
        ({"calibration": "median"}, "calibration is one of min_max, enhanced, percentile; got 'median'"),
        ({"weight_bits": 32}, "32 means the float net and goes with 32 only"),
        ({"percentile": 0.99}, r"share in \(50, 100\] percent, got 0.99"),
        ({"calibration_batches": 0}, "at least one calibration batch"),
    ],
)
def test_refuses(make_scheme, changes, message):
    with pytest.raises(ValueError, match=message):
        make_scheme(**changes)


def test_a_float_net_has_no_stages(make_scheme, make_qat):
    with pytest.raises(ValueError, match="nothing for stages to do, got qat; set stages="):
        make_scheme(weight_bits=32, activation_bits=32, stages=[make_qat()])


def test_stages_need_folders_of_their_own(make_scheme, make_qat):
    with pytest.raises(ValueError, match="two stages named qat"):
        make_scheme(stages=[make_qat(), make_qat()])


def test_every_configured_scheme_builds(repo_root):
    files = sorted((repo_root / "conf/quantization").glob("*.yaml"))
    assert {"fp32", "w8a8_ptq", "w8a8_qat"} <= {file.stem for file in files}
    with initialize_config_dir(str(repo_root / "conf"), version_base="1.3"):
        for file in files:
            config = compose(f"quantization/{file.stem}", ["+trainer.accelerator=cpu"])
            scheme = instantiate(config.quantization, _convert_="all")
            assert isinstance(scheme, Scheme) and scheme.name == file.stem
