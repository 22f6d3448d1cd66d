import dataclasses

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from sr.quantization.bias_correction import BiasCorrection
from sr.quantization.equalization import CrossLayerEqualization
from sr.quantization.scheme import Scheme


def test_float_is_a_scheme(make_scheme):
    scheme = make_scheme(name="fp32", numbers="float", weight_bits=32, activation_bits=32)
    assert scheme.is_float and scheme.is_unchanged and scheme.repairs == scheme.preparations == []
    half = make_scheme(name="fp16", numbers="float", weight_bits=16, activation_bits=16)
    assert half.is_float and not half.is_unchanged


def test_the_chain_is_in_its_order_preparations_first(make_scheme, make_qat):
    first, second = CrossLayerEqualization(name="cle"), BiasCorrection(name="bias_correction")
    scheme = make_scheme(chain=[first, second, make_qat()])
    assert scheme.preparations == [first] and scheme.repairs == [second, make_qat()]
    with pytest.raises(ValueError, match="chain qat -> cle: cle changes the float net, so it must come before"):
        make_scheme(chain=[make_qat(), first])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_bits": 7}, r"quantization.weight_bits is one of 4, 8, 16 \(numbers: integer\); got 7"),
        ({"activation_bits": 4}, "quantization.activation_bits is one of"),
        ({"calibration": "median"}, r"calibration is one of min_max, enhanced, percentile .*; got 'median'"),
        ({"weight_bits": 32}, r"weight_bits is one of 4, 8, 16 \(numbers: integer\); got 32"),
        ({"numbers": "float", "weight_bits": 16}, r"activation_bits is one of 16 \(numbers: float\); got 8"),
        ({"numbers": "fixed"}, "quantization.numbers is one of float, integer"),
        ({"percentile": 0.99}, r"percentile must be in \(50, 100\] percent, got 0.99"),
        ({"calibration_batches": 0}, "at least one calibration batch"),
    ],
)
def test_refuses(make_scheme, changes, message):
    with pytest.raises(ValueError, match=message):
        make_scheme(**changes)


def test_a_float_net_has_no_chain(make_scheme, make_qat):
    with pytest.raises(ValueError, match="needs no steps, got qat; set chain="):
        make_scheme(numbers="float", weight_bits=32, activation_bits=32, chain=[make_qat()])


def test_names_are_checked(make_scheme, make_qat):
    with pytest.raises(ValueError, match=r"chain of w8a8 has tuning; the stages are qat"):
        dataclasses.replace(make_scheme(chain=[make_qat()]), chain=["tuning"])
    with pytest.raises(ValueError, match="has qat twice"):
        dataclasses.replace(make_scheme(chain=[make_qat()]), chain=["qat", "qat"])
    with pytest.raises(ValueError, match="must equal its key, got tuning: qat"):
        dataclasses.replace(make_scheme(), stages={"tuning": make_qat()})


def test_every_configured_scheme_builds(repo_root):
    files = sorted((repo_root / "conf/quantization").glob("*.yaml"))
    assert {"fp32", "w8a8_ptq", "w8a8_qat"} <= {file.stem for file in files}
    with initialize_config_dir(str(repo_root / "conf"), version_base="1.3"):
        settings = ["+machine.accelerator=cpu", "+train.epoch_images=800", "+train.budget=1", "+data.batch_size=16"]
        for file in files:
            config = compose(f"quantization/{file.stem}", settings)
            scheme = instantiate(config.quantization, _convert_="all")
            assert isinstance(scheme, Scheme) and scheme.name == file.stem
