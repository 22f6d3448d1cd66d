"""What is refused before anything is read, decoded or trained."""

from pathlib import Path

import pytest

from sr.experiment import CHECKPOINT, build, compose, run


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=-1", "seed is a whole number from 0 to 4294967295, got -1"),
        ("seed=abc", "seed is a whole number from 0 to 4294967295, got 'abc'"),
        ("seed=null", "seed is a whole number from 0 to 4294967295, got None"),
        ("init_leave=conv_last", "init_leave is a list, got 'conv_last'; write init_leave=[conv_last]"),
        (
            "quantization.stages.qat={distillation: 1, teacher: shipped/quicksrnet_large}",
            "no shipped net is called 'quicksrnet_large'; there are: quicksrnet_medium, quicksrnet_small "
            "(`python -m sr.shipped` lists them)",
        ),
        ("ckpt=first", "ckpt is `last` or `none`, got 'first'; other weights to start from are `init=`"),
    ],
)
def test_a_wrong_word_is_told_at_once(tmp_path: Path, override: str, message: str):
    with pytest.raises(ValueError) as caught:
        run(compose(["logger=none", "quantization=w8a8_qat", override]), tmp_path, lambda config: tmp_path)
    assert str(caught.value) == message


def test_a_started_run_is_not_touched_with_ckpt_none(tmp_path: Path):
    (tmp_path / CHECKPOINT).parent.mkdir()
    (tmp_path / CHECKPOINT).write_bytes(b"")
    with pytest.raises(ValueError, match="has a checkpoint already and ckpt=none"):
        run(compose(["logger=none", "ckpt=none"]), tmp_path, lambda config: tmp_path)


def test_a_schedule_of_no_length_is_told():
    for overrides, key in (
        (["scheduler=step"], "scheduler.step_size"),
        (["recipe=srgan"], "task.discriminator_scheduler.step_size"),
    ):
        with pytest.raises(ValueError, match=f"^{key} is a whole number from 1 on, got 0$"):
            build(compose([*overrides, f"{key}=0"]))
