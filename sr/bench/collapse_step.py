"""Benchmark of training steps with collapsed kernels, masked or not, against the expanded and the plain form."""

import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sr import experiment
from sr.bench.interleaved import neighbours_ratio, time_interleaved
from sr.bench.measurement import Measurement, format_machine
from sr.bench.setting import composed, format_setting
from sr.models.blocks import NUM_CHANNELS, inference_form
from sr.models.collapsible import CollapsibleConv, set_forward_form
from sr.models.net import Net
from sr.pruning.masks import all_kept, apply_masks, kernels, pruned
from sr.report.table import Column, Table

_COLUMNS = (
    Column("form", "forward pass"),
    Column("cpu_ms", "median processor ms per step", ".1f"),
    Column("speedup", "speedup over expanded", ".2f"),
    Column("overhead", "overhead over the row below", "+.1%"),
)
_TARGET = "target: speedup 1.7 for SESR-M5 at batch 32, 64x64 (reported by a SESR re-implementation in JAX)"
_COMPARED_WITH = {"masked": "collapsed", "collapsed": "plain"}
"""Form -> the form without its last step, to which its overhead is relative."""
_SPARSITY = 0.488
"""Sparsity of the masked net after three rounds of 20 %; the cost of a mask does not depend on it."""


def measure_collapse(overrides: Sequence[str], *, batch_size: int, lr_patch: int, num_steps: int) -> Measurement:
    """Time training steps (forward, L1, backward, AMSGrad) in four forms; all but the expanded run interleaved.

    "expanded" runs every branch, "masked" computes the kernels and masks them, "collapsed" computes the kernels without
    masks, and "plain" is the inference form. Times are processor times, which other programs do not increase. An
    overhead is the median ratio of steps measured next to each other.

    Args:
        overrides: Config overrides; without `model=` the net is SESR-M5.
        batch_size: Images of a batch.
        lr_patch: LR pixels per side.
        num_steps: Timed steps of each form.

    Returns:
        The measurement.

    Raises:
        ValueError: If the net has no collapsible convolution.
    """
    chosen = any(text.startswith("model=") for text in overrides)
    with composed([*([] if chosen else ["model=sesr_m5"]), *overrides]) as (config, _):
        torch.manual_seed(config.seed)
        net = experiment.made(config.model)
        if not any(isinstance(module, CollapsibleConv) for module in net.modules()):
            raise ValueError(
                f"{type(net).__name__} has no convolution that collapses; choose a SESR (model=sesr_m5), or "
                "another net with model.overparameterize"
            )
        nets, sizes = training_forms(net), {"batch_size": batch_size, "lr_patch": lr_patch, "num_steps": num_steps}
        slow = {"expanded": nets.pop("expanded")}  # separately: it evicts other data from the caches
        times = step_times(slow, **sizes) | step_times(nets, **sizes)
        model = {key: value for key, value in config.model.items() if key not in ("_target_", "forward_form")}
    setting = {
        "net": type(net).__name__,
        **model,
        "batch_size": batch_size,
        "lr_patch": lr_patch,
        "num_steps": num_steps,
    }
    medians = {form: statistics.median(each) for form, each in times.items()}
    overheads = {form: neighbours_ratio(times[form], times[below]) - 1 for form, below in _COMPARED_WITH.items()}
    speedups = {form: medians["expanded"] / medians[form] for form in times if form != "expanded"}
    found = {
        **{f"{form}_cpu_ms": median for form, median in medians.items()},
        "speedup": speedups["collapsed"],
        "mask_overhead": overheads["masked"],
        "collapse_overhead": overheads["collapsed"],
    }
    rows = [
        {"form": form, "cpu_ms": medians[form], "speedup": speedups.get(form), "overhead": overheads.get(form)}
        for form in times
    ]
    table = Table("training steps, interleaved", _COLUMNS, rows, [_TARGET, format_setting(setting), format_machine()])
    return Measurement(setting=setting, figures=found, tables=[table])


def training_forms(net: Net) -> dict[str, Net]:
    """Return one copy of a net with collapsible convolutions for each form of training.

    Args:
        net: A net with collapsible convolutions.

    Returns:
        Form ("expanded", "masked", "collapsed", "plain") -> net.
    """
    made = {form: copy.deepcopy(net) for form in ("expanded", "masked", "collapsed")}
    for form, each in made.items():
        set_forward_form(each, "expanded" if form == "expanded" else "collapsed")
    masks = all_kept(net)
    apply_masks(made["masked"], pruned(kernels(net, masks), masks, _SPARSITY, "global"))
    return made | {"plain": inference_form(net)}


def step_times(nets: Mapping[str, Net], *, batch_size: int, lr_patch: int, num_steps: int) -> dict[str, list[float]]:
    """Time training steps (forward, L1, backward, AMSGrad) of several nets, interleaved.

    Args:
        nets: Name -> net, all of the same scale and color; training changes their weights.
        batch_size: Images of a batch; 32 in SESR.
        lr_patch: LR pixels per side; 64 in SESR.
        num_steps: Timed steps of each net, after one warm-up step.

    Returns:
        Name -> processor time of each step in milliseconds.
    """
    first = next(iter(nets.values()))
    lr = torch.rand(batch_size, NUM_CHANNELS[first.color], lr_patch, lr_patch)
    hr = torch.rand_like(first(lr))
    steps = {name: _stepper(net, lr, hr) for name, net in nets.items()}
    return time_interleaved(steps, num_rounds=num_steps, num_warmup=1, clock=time.process_time)


def _stepper(net: Net, lr: Tensor, hr: Tensor) -> Callable[[], None]:
    trained = [param for param in net.parameters() if param.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=5e-4, amsgrad=True, fused=True)  # one kernel, as in conf/optimizer

    def step() -> None:
        optimizer.zero_grad()
        F.l1_loss(net(lr), hr).backward()
        optimizer.step()

    return step
