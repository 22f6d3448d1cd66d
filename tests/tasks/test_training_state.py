"""Checkpoints are written beside their target, whatever `$TMPDIR` is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SAVE = """
import resource, sys
from pathlib import Path
import lightning
import torch
from sr.tasks.training_state import save_training_state

class Task(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(100, 100)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())
    def training_step(self, batch, index):
        return self.net(batch).mean()

quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False, "logger": False}
trainer = lightning.Trainer(accelerator="cpu", max_steps=1, **quiet)
trainer.fit(Task(), torch.utils.data.DataLoader(torch.zeros(4, 100)))
save_training_state(trainer, Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    save_training_state(trainer, Path(sys.argv[1]))
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_a_checkpoint_needs_no_other_place_and_a_failed_one_leaves_the_last(tmp_path: Path) -> None:
    path = tmp_path / "run" / "last.ckpt"
    environment = os.environ | {"TMPDIR": str(tmp_path / "missing")}
    done = subprocess.run(
        [sys.executable, "-c", SAVE, str(path)], capture_output=True, text=True, cwd="/", env=environment
    )
    assert done.stdout.endswith(f"{path} could not be written: File too large\n"), done.stderr
    content = torch.load(path, weights_only=True)
    assert content["global_step"] == 1 and content["state_dict"]["net.weight"].shape == (100, 100)
    assert os.listdir(path.parent) == ["last.ckpt"]
