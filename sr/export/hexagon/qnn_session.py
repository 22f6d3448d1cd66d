"""Sessions on the Hexagon HTP with onnxruntime-qnn in which every node runs on the HTP."""

import platform
from collections.abc import Mapping
from pathlib import Path

import onnx
import onnxruntime

from sr.export.hexagon.chips import Chip
from sr.runs.silence_logs import native_output_to

PROVIDER = "QNNExecutionProvider"
_INSTALL = "pip install onnxruntime-qnn"
_WHEELS = ("Linux x86_64", "Windows AMD64", "Windows ARM64")
_LISTED = 12
_RECORD = {"session.record_ep_graph_assignment_info": "1"}


class HexagonMissingError(RuntimeError):
    """The HTP compiler and emulator do not work on this machine."""


def why_hexagon_is_missing() -> str | None:
    """Return None if the HTP compiler and emulator work here, else the reason and what to do."""
    try:
        import onnxruntime_qnn
    except ImportError:
        machine = f"{platform.system()} {platform.machine()}"
        advice = _INSTALL if machine in _WHEELS else "it exists for Linux x86-64 and Windows only: run the export there"
        return f"onnxruntime-qnn, the Hexagon compiler, is not installed on this {machine}: {advice}"
    try:
        if not _devices():
            onnxruntime.register_execution_provider_library(PROVIDER, onnxruntime_qnn.get_library_path())
    except Exception as error:  # the loader of a native library raises errors of any class
        return f"onnxruntime-qnn cannot be loaded ({error}); take the version in constraints.txt: {_INSTALL}"
    return None if _devices() else "onnxruntime-qnn is loaded but offers no device on this system"


def open_session(
    model: bytes | str, provider: Mapping[str, str], session: Mapping[str, str], log: Path
) -> onnxruntime.InferenceSession:
    """Open a session in which every node runs on the HTP.

    Args:
        model: Path or bytes of the model.
        provider: Options of the QNN provider.
        session: Entries of the session's configuration.
        log: File to which the compiler's output is appended.

    Raises:
        HexagonMissingError: The compiler does not work here.
        ValueError: The HTP cannot run an op; the message names it.
    """
    with native_output_to(log):  # loading the library prints too
        missing = why_hexagon_is_missing()
    if missing:
        raise HexagonMissingError(missing)
    entries = {"session.disable_cpu_ep_fallback": "1", **_RECORD, **session}
    try:
        with native_output_to(log):
            return onnxruntime.InferenceSession(model, _options(provider, entries))
    except Exception as error:  # ONNX Runtime has a class for each error code
        with native_output_to(log):
            leftover = _ops_off_the_htp(model, provider)
        what = f"these ops have to run on the CPU: {leftover}" if leftover else str(error)
        raise ValueError(
            f"the net does not compile for the HTP ({dict(provider)}): {what}; details in {log}"
        ) from error


def nodes_by_provider(session: onnxruntime.InferenceSession) -> dict[str, int]:
    """Return the number of nodes that each execution provider runs."""
    counts: dict[str, int] = {}
    for part in session.get_provider_graph_assignment_info():
        counts[part.ep_name] = counts.get(part.ep_name, 0) + len(part.get_nodes())
    return counts


def backend(chip: Chip) -> dict[str, str]:
    """Return the options of the QNN provider for a chip's HTP."""
    return {"backend_type": "htp", "htp_arch": str(chip.arch), "soc_model": str(chip.soc_model)}


def single_node(context: Path) -> str:
    """Return the name of the compiled file of a context model that consists of one compiled node.

    Raises:
        ValueError: The model has another node.
    """
    nodes = onnx.load(str(context), load_external_data=False).graph.node
    if [node.op_type for node in nodes] != ["EPContext"]:
        found = ", ".join(f"{node.op_type} {node.name}" for node in nodes)
        raise ValueError(f"{context.name} must be one compiled node, got: {found}")
    return next(entry.s.decode() for entry in nodes[0].attribute if entry.name == "ep_cache_context")


def _devices() -> list[onnxruntime.OrtEpDevice]:
    return [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]


def _options(provider: Mapping[str, str], entries: Mapping[str, str]) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    options.add_provider_for_devices(_devices()[:1], dict(provider))
    return options


def _ops_off_the_htp(model: bytes | str, provider: Mapping[str, str]) -> str:
    """Return the ops that the HTP leaves to the CPU if allowed; empty if that is not the cause."""
    try:
        session = onnxruntime.InferenceSession(model, _options(provider, _RECORD))
    except Exception:  # the first error has the details
        return ""
    parts = [part for part in session.get_provider_graph_assignment_info() if part.ep_name != PROVIDER]
    nodes = [f"{node.op_type} {node.name}" for part in parts for node in part.get_nodes()]
    # List computing ops first: the quantizers around them follow them to the CPU.
    nodes.sort(key=lambda name: name.startswith(("QuantizeLinear", "DequantizeLinear")))
    return ", ".join(nodes[:_LISTED]) + (f" and {len(nodes) - _LISTED} more" if len(nodes) > _LISTED else "")
