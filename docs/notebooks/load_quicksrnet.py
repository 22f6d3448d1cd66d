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
# # Load and use QuickSRNet
#
# This notebook is a script in jupytext's percent format. Run it with `python`, or open it as a notebook with jupytext.

# %%
import numpy as np
from PIL import Image
from skimage import data

import sr

photograph = data.coffee()  # (400, 600, 3) uint8, CC0

# %% [markdown]
# ## Upscale a photograph
#
# The float net, and the INT8 net as the phone computes it.

# %%
float_net = sr.load("quicksrnet_small", scale=2)
int8_net = sr.load("quicksrnet_small", scale=2, precision="int8")
large = float_net(photograph)
print(photograph.shape, "->", large.shape)

# %% [markdown]
# ## Score both
#
# `evaluate` makes the LR image by MATLAB's bicubic, upscales it, and compares with the photograph.


# %%
def bicubic(lr: np.ndarray) -> np.ndarray:
    """Upscale an image (h, w, 3) by Pillow's bicubic."""
    height, width = lr.shape[:2]
    return np.asarray(Image.fromarray(lr).resize((2 * width, 2 * height), Image.Resampling.BICUBIC))


scores = {
    "bicubic (Pillow)": sr.evaluate(bicubic, [photograph], scale=2).psnr_db,
    "FP32": sr.evaluate(float_net, [photograph]).psnr_db,
    "INT8": sr.evaluate(int8_net, [photograph]).psnr_db,
}
for name, psnr_db in scores.items():
    print(f"{name:18} {psnr_db:.2f} dB")

# %% [markdown]
# ## Look at a crop

# %%
lr = photograph[::2, ::2]
crop = np.concatenate(
    [each[185:285, 25:125] for each in (bicubic(lr), float_net(lr), int8_net(lr), photograph)], axis=1
)
Image.fromarray(crop).save("crop.png")
