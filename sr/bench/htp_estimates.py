"""Estimates of the HTP compiler for a grid of nets, from their config alone: random weights, nothing is trained."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from sr.bench.measurement import Measurement
from sr.bench.net_grid import expand_grid
from sr.bench.setting import composed, describe_setting
from sr.building import made
from sr.config.validation import check_settings
from sr.cost.count import cost
from sr.export.graph.float_onnx import example_input
from sr.export.graph.shape import lr_size
from sr.export.hexagon import qnn_session
from sr.export.hexagon.chips import CHIPS, Chip, chips
from sr.export.hexagon.compiled import cached_estimate
from sr.export.hexagon.htp import ESTIMATE
from sr.export.hexagon_target import Hexagon
from sr.models.blocks import inference_form
from sr.models.net import Net
from sr.quantization.batch_norms import without_batch_norms
from sr.quantization.ptq import calibrate
from sr.report.table import Column, Table
from sr.runs.failures import in_one_line
from sr.runs.folders import expand_home
from sr.runs.parts import Parts
from sr.runs.silence_logs import native_output_to

_CACHE = "htp_estimates"
_ONLY_HEXAGON = "the estimates are of export=hexagon; leave export= out, or give export=hexagon"


def measure_htp(overrides: Sequence[str]) -> Measurement:
    """Estimate each net of a grid for each chip of `export.estimates`; a net that cannot be estimated has a reason.

    Args:
        overrides: Config overrides; several values of one make a grid.

    Returns:
        The measurement; its figures have a row for each net.

    Raises:
        ValueError: The compiler is missing, gives no estimates for a chip, or no net of the grid can be estimated.
    """
    points = expand_grid(overrides)
    asked = estimated_chips([text for text in points[0][0] if all(text in point for point, _ in points)])
    rows = [_row(point, varied) for point, varied in points]
    if all("reason" in row for row in rows):
        raise ValueError(f"no net of the grid can be estimated: {rows[0]['reason']}")
    notes = [f"us: {ESTIMATE}; p: polyphase tail", *(_reason(row) for row in rows if "reason" in row)]
    table = Table("estimates of the HTP compiler", _columns(points[0][1], asked), [_cells(row) for row in rows], notes)
    return Measurement(setting={"overrides": list(overrides)}, figures={"nets": rows}, tables=[table])


def estimated_chips(overrides: Sequence[str]) -> list[Chip]:
    """Return the chips that all nets of a grid are estimated for.

    Args:
        overrides: Overrides that all nets have; those of the model do not matter.

    Raises:
        ValueError: The export is not for the HTP, the compiler is missing, or it gives no estimates for a chip.
    """
    with composed([text for text in overrides if not text.lstrip("+~").startswith("model")]) as (config, folder):
        with native_output_to(folder / "qnn.log"):
            missing = qnn_session.why_hexagon_is_missing()
        if missing:
            raise ValueError(f"the estimates need the compiler: {missing}")
        if "estimates" not in config.export:
            raise ValueError(_ONLY_HEXAGON)
        asked = chips(config.export.estimates)
    if without := [f"{chip.name} ({chip.product})" for chip in asked if not chip.estimates]:
        known = ", ".join(f"{chip.name} (HTP v{chip.arch})" for chip in CHIPS.values() if chip.estimates)
        raise ValueError(f"the compiler gives no estimates for {', '.join(without)}; it does for {known}")
    if not asked:
        raise ValueError("export.estimates names no chip; leave it out, or give export.estimates=[SA8775P]")
    return asked


def _row(overrides: Sequence[str], varied: dict[str, str]) -> dict[str, Any]:
    """Return the figures of one net, or the reason why it cannot be estimated."""
    row: dict[str, Any] = {"overrides": list(overrides), "varied": varied}
    try:
        with composed(overrides) as (config, folder):
            check_settings(OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]))
            return row | _figures(config, folder)
    except (ValueError, RuntimeError) as error:
        return row | {"reason": in_one_line(error)}


def untrained_net(config: DictConfig) -> tuple[Hexagon, Net, Any]:
    """Return the target, a net with random weights, and its simulation.

    Args:
        config: The composed config.

    Raises:
        ValueError: The export is not for the HTP, or does not take the scheme.
    """
    target, scheme = made(config.export), made(config.quantization)
    if not isinstance(target, Hexagon):
        raise ValueError(_ONLY_HEXAGON)
    target.refuse(scheme)
    torch.manual_seed(config.seed)
    net = without_batch_norms(inference_form(made(config.model).eval()))
    simulation = calibrate(net=net, scheme=scheme, calibration=[torch.rand_like(example_input(net))])
    simulation.snap()
    return target, net, simulation


def _figures(config: DictConfig, folder: Path) -> dict[str, Any]:
    target, net, simulation = untrained_net(config)
    height, width = lr_size(target.size, scale=net.scale, multiple=net.size_multiple)
    parts = Parts(expand_home("data.cache", config.data.cache) / _CACHE)
    estimate = partial(cached_estimate, log=folder / "qnn.log", parts=parts)
    estimates = target.estimate_chips(simulation, net, estimate)
    if missing := [row for row in estimates if "missing" in row]:
        raise ValueError(f"{missing[0]['chip']}: {missing[0]['missing']}")
    counted = cost(net, height, width)
    return {
        "net": describe_setting(config)["net"],
        "model": OmegaConf.to_container(config.model, resolve=True),
        "scale": net.scale,
        "scheme": simulation.scheme.name,
        "lr_height": height,
        "lr_width": width,
        "trainable_parameters": counted.trainable_parameters,
        "macs_g": counted.macs_g,
        "estimates": estimates,
    }


def _columns(varied: dict[str, str], asked: Sequence[Chip]) -> tuple[Column, ...]:
    return (
        *(Column(key, key) for key in varied or ("net",)),
        Column("trainable_parameters", "params", ",d"),
        Column("macs_g", "GMAC", ".1f"),
        *(Column(chip.name, f"{chip.name} v{chip.arch}, us") for chip in asked),
    )


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    cells = {"net": row.get("net", "")} | row["varied"]
    if "reason" in row:
        return cells
    times = {
        each["chip"]: f"{each['estimate_us']}{' p' if each['tail'] == 'polyphase' else ''}" for each in row["estimates"]
    }
    return cells | {key: row[key] for key in ("trainable_parameters", "macs_g")} | times


def _reason(row: dict[str, Any]) -> str:
    what = " ".join(f"{key}={value}" for key, value in row["varied"].items())
    return f"{what or 'the net'} cannot be estimated: {row['reason']}"
