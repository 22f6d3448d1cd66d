"""A net on the Hexagon HTP: emulated pixel by pixel, compiled for chips, and its time as the compiler estimates it."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import onnxruntime

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import fixed_lr_width
from sr.export.hexagon import qnn_session
from sr.export.hexagon.chips import Chip, emulated
from sr.export.hexagon.width_bug import refuse_spoiled, safe_width
from sr.export.runtime import Runtime

ESTIMATE = (
    "the HTP compiler's estimate for the accelerator of this chip alone, burst mode, full memory bandwidth; "
    "no measurement, and no phone's figure"
)
# The compiler's words -> ours.
_TIMES = {
    "Simulated (Accelerator exec time us)": "estimate_us",
    "Simulated (Accelerator exec time us (lower estimate))": "lower_us",
    "Simulated (Accelerator exec time us (upper estimate))": "upper_us",
    "Simulated (Accelerator exec cycles)": "cycles",
    "Missing Ops (Number of Ops with no Costs associated)": "num_ops_without_cost",
    "Input Fill": "ddr_read_input_bytes",
    "Output Spill": "ddr_write_output_bytes",
    "Intermediate Fill": "ddr_read_intermediate_bytes",
    "Intermediate Spill": "ddr_write_intermediate_bytes",
}


def on_htp(graph: Graph, *, arch: int, log: Path) -> Runtime:
    """Runs a graph on the emulator of an HTP version; it is deterministic, and not bit-equal to ONNX Runtime.

    The HTP rounds in its own way, so a third of the values differ from ONNX Runtime's by 1, a few by up to 4: its PSNR
    is what counts. Each image size is compiled once (0.3 s); a run costs about 14 us for an LR pixel. Images of a width
    that the compiler spoils are widened by their last column, and the result is cut.

    Args:
        graph: the net; quantized nets run in integers, float nets in fp16.
        arch: version of the HTP, e.g. 69 or 73.
        log: the compiler's words go to the end of this file.
    """
    chip = emulated(arch)

    def open_session(graph: Graph) -> onnxruntime.InferenceSession:
        session = qnn_session.open_session(graph.model.SerializeToString(), qnn_session.backend(chip), {}, log)
        elsewhere = {
            name: count
            for name, count in qnn_session.nodes_by_provider(session).items()
            if name != qnn_session.PROVIDER
        }
        if elsewhere:
            raise ValueError(f"every node has to run on the HTP, got {elsewhere}; see {log}")
        return session

    return Runtime(graph, open_session, any_size=False, safe_width=safe_width)


def compile_context(model: Path, chip: Chip, folder: Path, log: Path, **options: str) -> dict[str, Any]:
    """Compiles a net for a chip, without the chip: a binary and a small ONNX file that points to it.

    Args:
        model: an ONNX file of fixed size.
        chip: what to compile for.
        folder: where the two files go.
        log: the compiler's words.
        options: further options of the QNN provider.

    Returns:
        The chip, its files and their sizes. The binary differs from one compilation to the next, in nothing that shows.

    Raises:
        ValueError: an op that the HTP cannot run, or a width that its compiler spoils.
    """
    graph = Graph.load(model)
    refuse_spoiled(graph, fixed_lr_width(graph))
    folder.mkdir(parents=True, exist_ok=True)
    context = folder / f"{chip.name}_{model.stem}.onnx"
    offline = {"htp_graph_finalization_optimization_mode": "3", "enable_htp_prepare_only": "1"}
    entries = {"ep.context_enable": "1", "ep.context_embed_mode": "0", "ep.context_file_path": str(context)}
    qnn_session.open_session(str(model), qnn_session.backend(chip) | offline | options, entries, log)
    binary = folder / qnn_session.single_node(context)
    return {
        "chip": chip.name,
        "product": chip.product,
        "soc_model": chip.soc_model,
        "htp_arch": chip.arch,
        "files": [context.name, binary.name],
        "size_kib": round(binary.stat().st_size / 1024, 1),
        "compiled_with": Graph.load(context).metadata.get(f"ep_compatibility_info.{qnn_session.PROVIDER}", ""),
        "num_nodes_on_htp": 1,
        "num_nodes_elsewhere": 0,
    }


def estimate(model: Path, chip: Chip, log: Path) -> dict[str, Any]:
    """What the compiler thinks that a chip's accelerator will take for an image, in microseconds, with bounds.

    Args:
        model: an ONNX file of fixed size.
        chip: one with `estimates`.
        log: the compiler's words.

    Returns:
        The estimate; only chip and reason when the compiler gives none.
    """
    found = {"chip": chip.name, "product": chip.product, "htp_arch": chip.arch}
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.csv"
        compile_context(model, chip, Path(folder), log, profiling_level="basic", profiling_file_path=str(profile))
        rows = _read_profile(profile) if profile.is_file() else {}
    if "estimate_us" not in rows:
        return found | {"missing": "this version of the compiler gives no estimate for this chip"}
    return found | {"kind": ESTIMATE} | rows


def write_dlc(model: Path, path: Path, log: Path) -> None:
    """Writes the net as a DLC, the file of Qualcomm's own runtimes, before compilation for any chip.

    Args:
        model: an ONNX file of fixed size.
        path: the DLC.
        log: the compiler's words.

    Raises:
        ValueError: an op that the HTP cannot run, or the compiler wrote nothing.
    """
    folder = path.with_name(path.name + "_parts")
    folder.mkdir(parents=True)
    qnn_session.open_session(
        str(model), {"backend_type": "ir", "dump_qnn_ir_dlc": "1", "dump_qnn_ir_dlc_dir": str(folder)}, {}, log
    )
    written = list(folder.glob("*.dlc"))
    if len(written) != 1:
        raise ValueError(f"the net is to become one DLC, the compiler wrote {len(written)}; its words: {log}")
    written[0].replace(path)
    folder.rmdir()


def _read_profile(path: Path) -> dict[str, int]:
    """The estimates in the compiler's profile, under our names."""
    with open(path, newline="", encoding="utf-8") as file:
        values = {row["Event Identifier"]: int(row["Time"]) for row in csv.DictReader(file)}
    return {ours: values[theirs] for theirs, ours in _TIMES.items() if theirs in values}
