"""Training with collapsed kernels in the forward pass, masked or not, against the expanded and the deployed forms."""

import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from hydra.utils import instantiate
from torch import Tensor

from sr.bench.measurement import Measurement, machine_note
from sr.bench.setting import composed, in_words
from sr.models.blocks import CHANNELS, inference_form
from sr.models.collapsible import CollapsibleConv, set_forward_form
from sr.models.masks import all_kept, apply_masks, kernels, pruned
from sr.models.net import Net
from sr.report.table import Column, Table

COLUMNS = (
    Column("form", "forward pass"),
    Column("median_ms", "median ms a step", ".1f"),
    Column("speedup", "times as fast as expanded", ".2f"),
    Column("overhead", "share more than plain", "+.1%"),
)
TO_REACH = "to reach: 1.7 times for SESR-M5 at batch 32, 64x64 (the figure of a SESR re-implementation in JAX)"
SPARSITY = 0.488
"""Of the masked net: three rounds of 20 %; a mask's cost does not depend on it."""


def measure(overrides: Sequence[str], *, batch_size: int, lr_patch: int, num_steps: int) -> Measurement:
    """Take training steps (forward, L1, backward, AMSGrad) in all forms by turns.

    "expanded" runs every branch, "collapsed" computes the kernels and runs these, "masked" masks them, too, and "plain"
    is the deployed net, which has nothing to collapse.

    Args:
        overrides: Of the config; without `model=` the net is SESR-M5.
        batch_size: Images in a batch.
        lr_patch: LR pixels per side.
        num_steps: Timed steps of each form.

    Raises:
        ValueError: A net that has nothing to collapse.
    """
    chosen = any(text.startswith("model=") for text in overrides)
    with composed([*([] if chosen else ["model=sesr_m5"]), *overrides]) as (config, _):
        torch.manual_seed(config.seed)
        net = instantiate(config.model, _convert_="all")
        if not any(isinstance(module, CollapsibleConv) for module in net.modules()):
            raise ValueError(
                f"{type(net).__name__} has no convolution that collapses; choose a SESR (model=sesr_m5), or "
                "another net with model.overparameterize"
            )
        times = step_times(forms(net), batch_size=batch_size, lr_patch=lr_patch, num_steps=num_steps)
        model = {key: value for key, value in config.model.items() if key not in ("_target_", "forward_form")}
    setting = {
        "net": type(net).__name__,
        **model,
        "batch_size": batch_size,
        "lr_patch": lr_patch,
        "num_steps": num_steps,
    }
    found = {f"{form}_ms": median for form, median in times.items()} | {
        "speedup": times["expanded"] / times["collapsed"],
        "collapse_overhead": times["collapsed"] / times["plain"] - 1,
        "mask_overhead": times["masked"] / times["plain"] - 1,
    }
    rows = [
        {
            "form": form,
            "median_ms": median,
            "speedup": None if form == "expanded" else times["expanded"] / median,
            "overhead": None if form == "plain" else median / times["plain"] - 1,
        }
        for form, median in times.items()
    ]
    table = Table("training steps, in turns", COLUMNS, rows, [TO_REACH, in_words(setting), machine_note()])
    return Measurement(setting=setting, figures=found, tables=[table])


def forms(net: Net) -> dict[str, Net]:
    """Copies of a net with convolutions that collapse, one for each way to train it."""
    made = {form: copy.deepcopy(net) for form in ("expanded", "collapsed", "masked")}
    for form, each in made.items():
        set_forward_form(each, "expanded" if form == "expanded" else "collapsed")
    masks = all_kept(net)
    apply_masks(made["masked"], pruned(kernels(net, masks), masks, SPARSITY, "global"))
    return made | {"plain": inference_form(net)}


def step_times(nets: Mapping[str, Net], *, batch_size: int, lr_patch: int, num_steps: int) -> dict[str, float]:
    """Time training steps (forward, L1, backward, AMSGrad) of nets in turns.

    Args:
        nets: name -> net, all of one kind; their weights change.
        batch_size: Images in a batch; SESR's is 32.
        lr_patch: LR pixels per side; SESR's is 64.
        num_steps: Steps of each net, after one that is not counted.

    Returns:
        Name -> median of a step in milliseconds.
    """
    first = next(iter(nets.values()))
    lr = torch.rand(batch_size, CHANNELS[first.color], lr_patch, lr_patch)
    hr = torch.rand_like(first(lr))
    steps = {name: _stepper(net, lr, hr) for name, net in nets.items()}
    times: dict[str, list[float]] = {name: [] for name in nets}
    for _ in range(num_steps + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(each[1:]) for name, each in times.items()}


def _stepper(net: Net, lr: Tensor, hr: Tensor) -> Callable[[], None]:
    optimizer = torch.optim.Adam([param for param in net.parameters() if param.requires_grad], lr=5e-4, amsgrad=True)

    def step() -> None:
        optimizer.zero_grad()
        F.l1_loss(net(lr), hr).backward()
        optimizer.step()

    return step
