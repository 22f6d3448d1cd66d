"""Hexagon HTP: emulate a net bit-exactly, compile it for chips, and read the compiler's time estimate."""

import csv
from pathlib import Path
from typing import Any

import onnxruntime

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import fixed_lr_size
from sr.export.hexagon import qnn_session
from sr.export.hexagon.chips import Chip, emulated
from sr.export.hexagon.width_bug import refuse_spoiled, safe_width
from sr.export.runtime import Runtime
from sr.runs.files import temporary_folder

ESTIMATE = (
    "the HTP compiler's estimate for the accelerator of this chip alone, burst mode, full memory bandwidth; "
    "no measurement, and no phone's figure"
)
# Names in the compiler's profile -> names in the report.
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
    """Return the runtime of a graph on the emulator of an HTP version, which is deterministic.

    It is not bit-equal to ONNX Runtime: a third of the values differ from ONNX Runtime's by 1, a few by up to 4, so its
    PSNR is compared. Each image size is compiled once (0.3 s); a run takes about 14 us per LR pixel. If the compiler's
    width bug affects an image, it is padded with its last column and the result is cropped.

    Args:
        graph: The net; quantized nets run in integers, float nets in fp16.
        arch: Version of the HTP, such as 69 or 73.
        log: File to which the compiler's output is appended.
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
    """Compile a net for a chip, without the chip, to a binary and a small ONNX file that points to it.

    Args:
        model: ONNX file of fixed size.
        chip: Chip to compile for.
        folder: Folder for the two files.
        log: File for the compiler's output.
        options: Further options of the QNN provider.

    Returns:
        The chip, its files and their sizes. The binary differs between compilations without any effect.

    Raises:
        ValueError: The HTP cannot run an op, or the compiler's width bug affects this width.
    """
    graph = Graph.load(model)
    refuse_spoiled(graph, fixed_lr_size(graph)[1])
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


def estimate(model: Path, chip: Chip, log: Path, **options: str) -> dict[str, Any]:
    """Return the compiler's estimate of a chip's accelerator time per image, in microseconds, with bounds.

    Args:
        model: ONNX file of fixed size.
        chip: A chip with `estimates`.
        log: File for the compiler's output.
        options: Further options of the QNN provider.

    Returns:
        The estimate; chip and reason if the compiler gives none.
    """
    found = {"chip": chip.name, "product": chip.product, "htp_arch": chip.arch}
    with temporary_folder(log.parent) as folder:
        profile = folder / "profile.csv"
        profiling = {"profiling_level": "basic", "profiling_file_path": str(profile)}
        compile_context(model, chip, folder, log, **options | profiling)
        rows = _read_profile(profile) if profile.is_file() else {}
    if "estimate_us" not in rows:
        return found | {"missing": "this version of the compiler gives no estimate for this chip"}
    return found | {"kind": ESTIMATE} | rows


def write_dlc(model: Path, path: Path, log: Path) -> None:
    """Write the net as a DLC, the file of Qualcomm's own runtimes, before compilation for any chip.

    Args:
        model: ONNX file of fixed size.
        path: The DLC.
        log: File for the compiler's output.

    Raises:
        ValueError: The HTP cannot run an op, or the compiler wrote no file.
    """
    folder = path.with_name(path.name + "_parts")
    folder.mkdir(parents=True)
    qnn_session.open_session(
        str(model), {"backend_type": "ir", "dump_qnn_ir_dlc": "1", "dump_qnn_ir_dlc_dir": str(folder)}, {}, log
    )
    written = list(folder.glob("*.dlc"))
    if len(written) != 1:
        raise ValueError(f"expected one DLC from the compiler, got {len(written)}; its output is in {log}")
    written[0].replace(path)
    folder.rmdir()


def _read_profile(path: Path) -> dict[str, int]:
    """Read the estimates from the compiler's profile and return them under this project's names."""
    with open(path, newline="", encoding="utf-8") as file:
        values = {row["Event Identifier"]: int(row["Time"]) for row in csv.DictReader(file)}
    return {name: values[event] for event, name in _TIMES.items() if event in values}
