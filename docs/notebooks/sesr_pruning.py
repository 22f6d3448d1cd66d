# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What pruning does to SESR
#
# Iterative magnitude pruning with rewind, as in the SESR pruning study. Each round masks a fifth of the remaining
# weights, and starts again from the weights of an early iteration. The notebook trains SESR-M3 in some rounds, and
# draws the scores and the kernels.

# %%
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from safetensors.numpy import load_file

ROUNDS = 10  # sparsities of 20, 36, 48.8, 59.0, 67.2, 73.8, 79.0, 83.2, 86.6 and 89.3 %
ITERATIONS = 5050  # of all rounds; the study has 888 thousand, so these scores are no reproduction of it

# %% [markdown]
# ## Train
#
# One command. Its data are the photographs inside scikit-image. It is the same as `sr run task=pruning ...` in a
# terminal, and the same cell goes on after a stop.

# %%
os.environ["SR_OUTPUTS"] = str(Path("outputs").absolute())
settings = [
    "experiment=sparse", "task=pruning", f"task.rounds={ROUNDS}", "model=sesr_m3", "scale=2", "optimizer=amsgrad",
    f"train.iterations={ITERATIONS}", f"train.validate_every={ITERATIONS // 100 * 10}", "train.precision=fp32",
    "train.ema_decay=0.99", "data.batch_size=8", "data.lr_patch=32", "callbacks=train_only", "quantization=fp32",
    "export=none",
]  # fmt: skip
subprocess.run([sys.executable, "-m", "sr.run", *settings], check=True)
run = max(Path("outputs/sparse").glob("*/report.json"), key=lambda path: path.stat().st_mtime).parent

# %% [markdown]
# ## Score against sparsity
#
# Each round has its score on the held-out images. `sr report outputs/sparse --sparsity sparsity.png` draws the same
# with the curves inside the rounds.

# %%
rounds = json.loads((run / "report.json").read_text(encoding="utf-8"))["training"]["rounds"]
sparsity = [100 * each["sparsity"] for each in rounds]
psnr_db = [each["psnr_y_db"] for each in rounds]
figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
axes.plot(sparsity, psnr_db, marker="o")
axes.axhline(psnr_db[0], color="grey", linestyle="--", label="dense")
axes.set(xlabel="sparsity, %", ylabel="PSNR-Y of held-out images, dB", title="SESR-M3 x2, one seed")
axes.legend()
figure.savefig("scores.png", dpi=120)
for percent, score in zip(sparsity, psnr_db, strict=True):
    print(f"{percent:5.1f} %  {score:.3f} dB")

# %% [markdown]
# ## The kernels
#
# Each square is a 3x3 kernel of one inner block after its collapse: 16 rows of output channels, 16 columns of input
# channels. White is a weight that was set to zero. Channels that lose all of their weights become white rows or
# columns: they could be removed by filter pruning.


# %%
def inner_kernels(path: Path) -> np.ndarray:
    """Return the kernels of the first inner block as one picture (48, 48) of magnitudes, NaN where a weight is zero."""
    weights = load_file(path)
    kernel = next(each for each in weights.values() if each.shape == (16, 16, 3, 3))
    picture = np.abs(kernel).transpose(0, 2, 1, 3).reshape(48, 48)
    return np.where(picture == 0, np.nan, picture)


paths = sorted((run / "rounds").glob("*.safetensors"))
shown = [paths[0], paths[len(paths) // 2], paths[-1]]
pictures = [inner_kernels(path) for path in shown]
zeros = [float(np.isnan(picture).mean()) for picture in pictures]
figure, panels = plt.subplots(1, len(shown), figsize=(9, 3.4), layout="constrained")
for panel, picture, path, share in zip(panels, pictures, shown, zeros, strict=True):
    panel.imshow(picture, cmap="viridis", vmin=0, vmax=float(np.nanpercentile(pictures[0], 99)))
    panel.set_title(f"round {int(path.stem.split('_')[1])}: {100 * share:.0f} % zeros", fontsize=9)
    panel.set_xticks(np.arange(-0.5, 48, 3), [])
    panel.set_yticks(np.arange(-0.5, 48, 3), [])
    panel.grid(color="white", linewidth=0.4)
figure.savefig("kernels.png", dpi=120)
