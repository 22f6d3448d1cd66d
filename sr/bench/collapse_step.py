"""Training with collapsed kernels in the forward pass, masked or not, against the expanded and the deployed forms."""

import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sr import experiment
from sr.bench.interleaved import in_turns, neighbours_ratio
from sr.bench.measurement import Measurement, machine_note
from sr.bench.setting import composed, in_words
from sr.models.blocks import NUM_CHANNELS, inference_form
from sr.models.collapsible import CollapsibleConv, set_forward_form
from sr.models.net import Net
from sr.pruning.masks import all_kept, apply_masks, kernels, pruned
from sr.report.table import Column, Table

COLUMNS = (
    Column("form", "forward pass"),
    Column("cpu_ms", "median processor ms a step", ".1f"),
    Column("speedup", "times as fast as expanded", ".2f"),
    Column("overhead", "share more than the row below", "+.1%"),
)
TO_REACH = "to reach: 1.7 times for SESR-M5 at batch 32, 64x64 (the figure of a SESR re-implementation in JAX)"
OVERHEADS = {"masked": "collapsed", "collapsed": "plain"}
"""What each form is compared with: the one that does the same without its last step."""
SPARSITY = 0.488
"""Of the masked net: three rounds of 20 %; a mask's cost does not depend on it."""


def measure(overrides: Sequence[str], *, batch_size: int, lr_patch: int, num_steps: int) -> Measurement:
    """Take training steps (forward, L1, backward, AMSGrad) in all forms, all but the expanded by turns.

    "expanded" runs every branch, "masked" computes the kernels, masks them and runs these, "collapsed" does so without
    masks, and "plain" is the deployed net, which has nothing to collapse. What counts is processor time, which other
    programs do not lengthen, and an overhead is the median over neighbours in time.

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
        net = experiment.made(config.model)
        if not any(isinstance(module, CollapsibleConv) for module in net.modules()):
            raise ValueError(
                f"{type(net).__name__} has no convolution that collapses; choose a SESR (model=sesr_m5), or "
                "another net with model.overparameterize"
            )
        nets, sizes = forms(net), {"batch_size": batch_size, "lr_patch": lr_patch, "num_steps": num_steps}
        slow = {"expanded": nets.pop("expanded")}  # by itself: it leaves nothing of the next one's data in the caches
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
    overheads = {form: neighbours_ratio(times[form], times[below]) - 1 for form, below in OVERHEADS.items()}
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
    table = Table("training steps, in turns", COLUMNS, rows, [TO_REACH, in_words(setting), machine_note()])
    return Measurement(setting=setting, figures=found, tables=[table])


def forms(net: Net) -> dict[str, Net]:
    """Copies of a net with convolutions that collapse, one for each way to train it."""
    made = {form: copy.deepcopy(net) for form in ("expanded", "masked", "collapsed")}
    for form, each in made.items():
        set_forward_form(each, "expanded" if form == "expanded" else "collapsed")
    masks = all_kept(net)
    apply_masks(made["masked"], pruned(kernels(net, masks), masks, SPARSITY, "global"))
    return made | {"plain": inference_form(net)}


def step_times(nets: Mapping[str, Net], *, batch_size: int, lr_patch: int, num_steps: int) -> dict[str, list[float]]:
    """Time training steps (forward, L1, backward, AMSGrad) of nets in turns.

    Args:
        nets: name -> net, all of one kind; their weights change.
        batch_size: Images in a batch; SESR's is 32.
        lr_patch: LR pixels per side; SESR's is 64.
        num_steps: Steps of each net, after one that is not counted.

    Returns:
        Name -> milliseconds of processor time of each step.
    """
    first = next(iter(nets.values()))
    lr = torch.rand(batch_size, NUM_CHANNELS[first.color], lr_patch, lr_patch)
    hr = torch.rand_like(first(lr))
    steps = {name: _stepper(net, lr, hr) for name, net in nets.items()}
    return in_turns(steps, num_rounds=num_steps, num_warmup=1, clock=time.process_time)


def _stepper(net: Net, lr: Tensor, hr: Tensor) -> Callable[[], None]:
    trained = [param for param in net.parameters() if param.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=5e-4, amsgrad=True, fused=True)  # one kernel, as in conf/optimizer

    def step() -> None:
        optimizer.zero_grad()
        F.l1_loss(net(lr), hr).backward()
        optimizer.step()

    return step
