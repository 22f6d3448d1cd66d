"""Quantization and export as callbacks of a plain Lightning trainer."""

import lightning
import pytest

from sr.callbacks.at_end import QuantizeAndExport
from sr.experiment import build, compose, made

SETTINGS = [
    "model=quicksrnet", "model.f=8", "model.m=1", "train.precision=fp32", "data.lr_patch=16", "data.batch_size=2",
    "train.chunk=2", "train.iterations=2", "quantization=w8a8_ptq", "quantization.calibration_batches=1", "export=onnx",
    "export.num_crops=1", "export.crop_lr_side=48", "size=64x96",
]  # fmt: skip


@pytest.mark.aimet
@pytest.mark.parametrize("exported", [True, False])
def test_at_the_end_of_training_the_net_is_quantized_and_exported(tmp_path, exported):
    config = compose(SETTINGS)
    task, data = build(config)
    parts = {"scheme": made(config.quantization), "loss": made(config.loss), "protocol": "y", "seed": 0}
    at_end = QuantizeAndExport(**parts, target=made(config.export) if exported else None)
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=2, max_epochs=-1, logger=False, callbacks=[at_end], enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(task, datamodule=data)
    assert (tmp_path / "quantized/simulation.pt").is_file()
    assert (tmp_path / "export/certificate.json").is_file() == exported
