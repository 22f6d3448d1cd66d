"""Run an export on a phone: check, push, run, pull, compare, record."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.export.certificate.proof import failures
from sr.export.hexagon.chips import CHIPS
from sr.phone.adb import AdbError, Phone, find_phone
from sr.phone.ncnn_on_phone import ncnn_measured, plan_ncnn
from sr.phone.opened_kit import ChosenModels, OpenedKit, open_kit
from sr.phone.ort_on_phone import expected_if_same, ort_measured, plan_ort, read_differences, write_tests
from sr.phone.phone_proof import compare, read_outputs, told_proof
from sr.phone.phone_record import record
from sr.phone.phone_runtimes import (
    Measured,
    RuntimePlan,
    device_facts,
    format_measured,
    litert_measured,
    plan_litert,
    plan_qnn,
    pushed,
    qnn_measured,
    temperature_c,
)
from sr.runs.files import temporary_folder

FOLDER = "/data/local/tmp/sr_phone"
_SECONDS = 900.0
_NO_DEVICE = "the device was not created: the Stub or Skel library does not fit the chip's HTP version"
# Words of the runtimes, and what they mean.
_SIGNS = {
    "14001": _NO_DEVICE,
    "Failed to create device": _NO_DEVICE,
    "Failed to get context binary info": "the compiled file is newer than the runtime: take a newer QAIRT SDK",
    "err 5000": "the compiled file is for another chip: see --chip",
    "fallback to CPU EP has been explicitly disabled": "a part of the net does not run on the NPU",
    "1008": "the HTP refused the compiled file: it is for another chip, or the HTP has no memory left",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for.

    Args:
        place: Folder of a run or of an export.
        runtime: One of `RUNTIMES`.
        device: Serial number; None takes the only phone.
        chip: Part number; None asks the phone.
        sdk: Folder of the QAIRT SDK.
        tool: The runtime's program: benchmark_model, ncnn_runner, or onnxruntime_perf_test.
        delegate: For LiteRT and ncnn.
        passes: Timed passes.
        adb: The adb program.
    """

    place: Path
    runtime: str
    device: str | None
    chip: str | None
    sdk: Path | None
    tool: Path | None
    delegate: str
    passes: int
    adb: str | None


def run_on_phone(asked: Asked) -> list[str]:
    """Run, compare and record.

    Args:
        asked: What the command line asks for.

    Returns:
        Lines for the screen.

    Raises:
        ValueError: Something is missing or fails; nothing is recorded then.
    """
    kit = open_kit(asked.place)
    phone = find_phone(asked.adb, asked.device)
    facts = device_facts(phone.asked)
    chip = asked.chip or next((name for name in CHIPS if facts["chip"].startswith(name)), facts["chip"])
    models = kit.models(asked.runtime, chip)
    plan = _plan(asked, chip, kit)
    with temporary_folder(kit.export) as place:
        heat = [temperature_c(phone.asked)]
        tests = write_tests(kit, models, place) if asked.runtime == "ort" else {}
        log = _run(phone, plan, models, kit, asked, tests)
        heat.append(temperature_c(phone.asked))
        phone.pull(f"{FOLDER}/out", place / "out")
        phone.asked(f"rm -rf {FOLDER}")
        name = f"phone_{asked.runtime}_{chip if chip in CHIPS else facts['device'].replace(' ', '_')}"
        proof = _proof(asked, place / "out", kit, models, name)
        measured = _measured(asked, place / "out", log)
    written = record(kit, proof, _facts(asked, plan, models, kit, measured) | facts | {"temperature_c": heat})
    return [*_compared(proof), *format_measured(measured), *(f"wrote {path}" for path in written)]


def _plan(asked: Asked, chip: str, kit: OpenedKit) -> RuntimePlan:
    if asked.runtime == "qnn":
        return plan_qnn(asked.sdk, chip, kit.manifest.get("compiler", {}).get("qairt", ""))
    if asked.runtime == "ort":
        return plan_ort(asked.tool, asked.sdk, chip, kit.manifest.get("compiler", {}).get("qairt", ""))
    return (plan_litert if asked.runtime == "litert" else plan_ncnn)(asked.tool, asked.delegate)


def _proof(asked: Asked, out: Path, kit: OpenedKit, models: ChosenModels, name: str) -> dict[str, Any]:
    if asked.runtime != "ort":
        return compare(kit, models, read_outputs(out, kit, models), name)
    told = read_differences(out, kit, models)
    same = expected_if_same(kit, models, told)
    return told_proof(models, told, name) if same is None else compare(kit, models, same, name)


def _measured(asked: Asked, out: Path, log: str) -> Measured:
    if asked.runtime == "qnn":
        return qnn_measured(out, asked.sdk)
    if asked.runtime == "ort":
        return ort_measured(out)
    return litert_measured(log) if asked.runtime == "litert" else ncnn_measured(log)


def _run(
    phone: Phone, plan: RuntimePlan, models: ChosenModels, kit: OpenedKit, asked: Asked, tests: Mapping[str, Path]
) -> str:
    """Push everything, run the kit's script, and return what it printed.

    Raises:
        ValueError: It fails; the message has its last lines and, where known, what they mean.
    """
    files, names = pushed(plan, models, kit.folder, [frame["name"] for frame in kit.manifest["frames"]])
    phone.push({**files, **tests}, FOLDER)
    words = ["sh", "run.sh", asked.runtime, *names, str(asked.passes), *plan.arguments]
    tools = shlex.join(plan.programs)
    try:
        return phone.shell(f"cd {FOLDER} && chmod 755 {tools} && {shlex.join(words)} 2>&1", seconds=_SECONDS)
    except AdbError as error:
        meaning = next((f". This means: {text}" for sign, text in _SIGNS.items() if sign in str(error)), "")
        raise ValueError(f"the net does not run on the phone: {error}{meaning}; see docs/phone.md") from error


def _facts(asked: Asked, plan: RuntimePlan, models: ChosenModels, kit: OpenedKit, measured: Measured) -> dict[str, Any]:
    return {
        "runtime": asked.runtime,
        "runtime_version": measured.version or plan.version,
        "compiler": kit.manifest.get("compiler", {}),
        "model": f"phone/{next(name for name in models.frame['files'] if name.endswith(plan.model))}",
        "lr": models.frame["lr"],
        "passes": asked.passes,
        "latency_ms": measured.latency_ms,
        "off_npu": measured.off_npu,
        "notes": measured.notes,
    }


def _compared(proof: dict[str, Any]) -> list[str]:
    """Return a line for each frame, and one for each bound that does not hold."""
    text = "{frame}: largest difference {largest_lsb} LSB, {differing_share:.1e} of the pixels differ"
    lines = [text.format(**row) for row in proof["frames"]]
    refused = failures(proof)
    close = [f"PSNR within {row['max_db']} dB of {row['second']}" for row in proof["closeness"] if row["holds"]]
    return [*lines, *close, *(f"NOT THE NET: {line}" for line in refused)]
