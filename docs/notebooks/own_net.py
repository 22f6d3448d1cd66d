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
# # From a net of your own to a certificate
#
# A small PyTorch net is trained for some seconds, quantized to 8 bits, exported, and its files are proven.

# %%
import torch
from skimage import data
from torch import Tensor, nn

import sr

torch.manual_seed(0)


class MyNet(nn.Module):
    """Two convolutions on top of a nearest-neighbour start, x2."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.tail = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 12, 3, padding=1)
        with torch.no_grad():  # the start: feature c is colour c, and each colour fills its block of 2 x 2 pixels
            self.head.weight *= 0.1
            self.tail.weight *= 0.1
            for colour in range(3):
                self.head.weight[colour, colour, 1, 1] += 1
                self.tail.weight[4 * colour : 4 * colour + 4, colour, 1, 1] += 1

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale (N, 3, h, w) to (N, 3, 2h, 2w)."""
        return nn.functional.pixel_shuffle(self.tail(torch.relu(self.head(lr))), 2).clamp(0, 1)


# %% [markdown]
# ## Train
#
# Plain PyTorch, on crops of one photograph. `docs/own_net.md` shows the class that `sr run` trains.

# %%
net = MyNet()
photograph = torch.from_numpy(data.astronaut()).permute(2, 0, 1) / 255
optimizer = torch.optim.Adam(net.parameters(), 1e-3)
for _ in range(200):
    y, x = torch.randint(0, 448, (2,)).tolist()
    hr = photograph[None, :, y : y + 64, x : x + 64]
    loss = nn.functional.l1_loss(net(nn.functional.avg_pool2d(hr, 2)), hr)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
before = sr.evaluate(MyNet(), [data.coffee()]).psnr_db
after = sr.evaluate(net.eval(), [data.coffee()]).psnr_db
print(f"start {before:.2f} dB, trained {after:.2f} dB")

# %% [markdown]
# ## Quantize, export, prove
#
# `target="hexagon"` compiles for the phone's NPU as well, where the compiler is installed.

# %%
quantized = sr.quantize(net, [data.astronaut(), data.rocket()], scheme="w8a8_gptq")
certificate = sr.export(quantized, "kit", target="onnx", size="540p")
for form in certificate["forms"]:
    print(f"{form['title']:22} {form['psnr_y_db']:.3f} dB")
