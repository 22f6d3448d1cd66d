"""Training with collapsed kernels in the forward pass, against the expanded forward pass."""

from collections.abc import Sequence

import torch
from hydra.utils import instantiate

from sr.bench.measurement import Measurement, machine_note
from sr.bench.setting import composed, in_words
from sr.models.collapsible import CollapsibleConv, collapse_speedup
from sr.report.table import Column, Table

COLUMNS = (
    Column("form", "forward pass"),
    Column("median_ms", "median ms a step", ".1f"),
    Column("speedup", "times as fast", ".2f"),
)
TO_REACH = "to reach: 1.7 times for SESR-M5 at batch 32, 64x64 (the figure of a SESR re-implementation in JAX)"


def measure(overrides: Sequence[str], *, batch_size: int, lr_patch: int, num_steps: int) -> Measurement:
    """Take training steps (forward, L1, backward, AMSGrad) in both forms by turns.

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
        found = collapse_speedup(net, batch_size=batch_size, lr_patch=lr_patch, num_steps=num_steps)
        model = {key: value for key, value in config.model.items() if key not in ("_target_", "forward_form")}
    setting = {
        "net": type(net).__name__,
        **model,
        "batch_size": batch_size,
        "lr_patch": lr_patch,
        "num_steps": num_steps,
    }
    rows = [
        {"form": "expanded", "median_ms": found["expanded_ms"]},
        {"form": "collapsed", "median_ms": found["collapsed_ms"], "speedup": found["speedup"]},
    ]
    table = Table("training steps, in turns", COLUMNS, rows, [TO_REACH, in_words(setting), machine_note()])
    return Measurement(setting=setting, figures=found, tables=[table])
