import pytest

from sr.config.hints import hints


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["model=quicksrnet_smal"], ["Did you mean model=quicksrnet_small"]),
        (["data=mixx", "train.iteration=5"], ["Did you mean data=mix?", "Did you mean train.iterations"]),
        (["quantisation=fp32"], ["Did you mean quantization"]),
        (["model=fsrcnn", "model.d=3", "model.dd=3"], ["no key model.dd"]),
        (["iterations=5"], ["Did you mean train.iterations"]),
        (["+lr=1"], ["optimizer.lr"]),
        (["--multirun", "model=fsrcnn,quicksrnet_larg"], ["model=quicksrnet_large"]),
        (["data=aaaaaaaa"], ["No data is 'aaaaaaaa'."]),
        (["recipe=null"], ["write '~recipe'"]),
        (["export=null"], ["Did you mean export=none"]),
        (["data=base"], ["No data is 'base'."]),  # what all data sets share is none
        (["nothing.of.the.sort=1"], ["--cfg job lists all keys"]),
        (["model=fsrcnn", "train.iterations=5", "sweeps=release", "task/discriminator=unet"], []),
    ],
)
def test_a_mistyped_override_is_guessed(arguments, says):
    found = hints(arguments)
    assert len(found) == len(says)
    assert all(part in line for part, line in zip(says, found, strict=True))
