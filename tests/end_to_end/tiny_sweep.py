"""Settings of a training that lasts a second, for tests of sweeps."""

TINY = [
    "callbacks=train_only",
    "model=quicksrnet",
    "model.f=4",
    "train.iterations=8",
    "train.chunk=4",
    "train.validate_every=8",
    "train.checkpoint_every=4",
    "data.batch_size=2",
    "data.lr_patch=16",
    "data.val_images=1",
    "data.val_crop=64",
    "size=32x48",
    "callbacks.cost.num_repeats=1",
]
