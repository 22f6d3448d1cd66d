"""What is refused before anything is read, decoded or trained."""

from pathlib import Path

import pytest

from sr.experiment import CHECKPOINT, build, compose, made, prepare, run
from sr.runs.results import ResultIndex


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=-1", "seed is a whole number from 0 to 4294967295, got -1"),
        ("seed=abc", "seed is a whole number from 0 to 4294967295, got 'abc'"),
        ("seed=null", "seed is a whole number from 0 to 4294967295, got null"),
        ("init_leave=conv_last", "init_leave is a list, got 'conv_last'; write init_leave=[conv_last]"),
        (
            "quantization.stages.qat={distillation: 1, teacher: pretrained/quicksrnet_large}",
            "no pretrained net is called 'quicksrnet_large'; there are: quicksrnet_f32m1, quicksrnet_f32m3, "
            "quicksrnet_f32m7, quicksrnet_medium, quicksrnet_small, quicksrnet_strided_f32m3, quicksrnet_strided_f32m5 "
            "(`python -m sr.pretrained` lists them)",
        ),
        (
            "quantization.weight_bits=16",
            "the HTP takes weights of 4 or 8 bits, and scheme w8a8_qat has weight_bits=16; take "
            "quantization.weight_bits=8 (activations may have 16), quantization=fp16, or export=onnx",
        ),
        ("ckpt=first", "ckpt is `last` or `none`, got 'first'; other weights to start from are `init=`"),
    ],
)
def test_a_wrong_word_is_told_at_once(tmp_path: Path, override: str, message: str):
    with pytest.raises(ValueError) as caught:
        run(compose(["logger=none", "quantization=w8a8_qat", override]), tmp_path, lambda config: tmp_path)
    assert str(caught.value) == message


def test_bits_that_an_engine_cannot_take_are_refused_without_it_too(tmp_path: Path, uninstall):
    uninstall("ai_edge_litert")
    with pytest.raises(ValueError, match=r"LiteRT cannot take the 16 bits .* of scheme w8a16_ptq"):
        run(compose(["logger=none", "quantization=w8a16_ptq", "export=litert"]), tmp_path, lambda config: tmp_path)


def test_a_run_without_aimet_is_refused_and_one_without_an_engine_warned(tmp_path: Path, uninstall, caplog):
    uninstall("ai_edge_litert")
    uninstall("aimet_torch")
    config = compose(["logger=none", "export=litert"])
    target = made(config.export)
    target.check(made(config.quantization), made(config.model))
    assert "the export will leave litert out: ai-edge-litert, which writes and runs .tflite files" in caplog.text
    prepare(compose(["model=bicubic", "logger=none"]), tmp_path, ResultIndex(folder=tmp_path))  # is not quantized
    with pytest.raises(ValueError, match=r"needs AIMET, which cannot be imported \(it is not installed\): pip install"):
        run(config, tmp_path, lambda config: tmp_path)


def test_a_started_run_is_not_touched_with_ckpt_none(tmp_path: Path):
    (tmp_path / CHECKPOINT).parent.mkdir()
    (tmp_path / CHECKPOINT).write_bytes(b"")
    with pytest.raises(ValueError, match="has a checkpoint already and ckpt=none"):
        run(compose(["logger=none", "ckpt=none"]), tmp_path, lambda config: tmp_path)


@pytest.mark.parametrize(
    ("overrides", "refused", "message"),
    [
        (["scheduler=step"], "scheduler.step_size=0", "step_size must be a whole number of at least 1, got 0"),
        (
            ["recipe=srgan", "task/perceptual=none"],
            "task.discriminator_scheduler.step_size=0",
            "step_size must be a whole number of at least 1, got 0",
        ),
        (["scheduler=cosine"], "scheduler.T_max=0", "scheduler.T_max must be a whole number of at least 1, got 0"),
        (
            ["task=gan", "task/perceptual=none"],
            "task.discriminator_scheduler.T_max=-5",
            "T_max must be a whole number of at least 1, got -5",
        ),
        (
            ["scheduler=one_cycle"],
            "scheduler.div_factor=0",
            "scheduler cannot be computed with .*div_factor=0.*by zero",
        ),
        (["scheduler=one_cycle"], "scheduler.final_div_factor=0", "final_div_factor=0.*division by zero"),
        (["scheduler=one_cycle", "train.iterations=100"], "scheduler.pct_start=0.01", "pct_start=0.01.*by zero"),
        (["scheduler=one_cycle"], "scheduler.pct_start=2", "pct_start=2.*between 0 and 1"),
        (["scheduler=multi_step"], "scheduler.milestones=3", "milestones=3.*not iterable"),
    ],
)
def test_a_schedule_that_cannot_be_computed_is_told_before_the_training(overrides, refused, message):
    with pytest.raises(ValueError, match=message):
        build(compose([*overrides, refused]))
    if refused.startswith("scheduler"):  # a perceptual loss needs weights
        build(compose(overrides))
        build(compose([*overrides, refused, "train.iterations=0"]))  # nothing is computed with it
