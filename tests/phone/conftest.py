"""An export with its phone kit, and a phone that is a folder; what is pushed runs on the emulator, LiteRT and ncnn."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sr.export.hexagon_target import Hexagon
from sr.export.litert.interpreter import LiteRt
from sr.export.ncnn import Ncnn
from sr.phone import command
from tests.export import conftest as export_tests

bounds, crops = export_tests.bounds, export_tests.crops
simulated, tiny_net = export_tests.simulated, export_tests.tiny_net
HERE = Path(__file__).parent
SERIAL = "R5CT10XYZ"
PROPERTIES = {
    "ro.product.model": "SM-S901B",
    "ro.soc.model": "SM8450",
    "ro.build.version.release": "14",
    "ro.build.id": "UP1A",
}


@pytest.fixture(scope="session")
def made_export(
    tiny_net: Any,
    simulated: Any,
    crops: Any,
    bounds: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A run folder with an export for SM8450, SM8550, LiteRT and ncnn; not to be changed."""
    folder = tmp_path_factory.mktemp("exported") / "run"
    net = tiny_net()
    target = Hexagon(
        size="20x28",
        space_to_depth="operator",
        num_crops=2,
        crop_lr_side=24,
        engines={
            "litert": LiteRt(num_threads=1, num_repeats=1, portable=False, max_db=0.1),
            "ncnn": Ncnn(num_threads=1, num_repeats=1, precision="fp16", max_db=0.05),
        },
        bounds=bounds(),
        emulate=[69, 73],
        chips=["SM8450", "SM8550"],
        estimates=["SA8775P"],
        v69_lift_lsb=0.06,
        tail="auto",
    )
    target.export(simulation=simulated(net), float_net=net, crops=crops(2), folder=folder / "export")
    return folder


@pytest.fixture
def run_folder(made_export: Path, tmp_path: Path) -> Path:
    """A copy of the run to change."""
    shutil.copytree(made_export, tmp_path / "run")
    return tmp_path / "run"


def script(path: Path, source: str, argument: str = "") -> Path:
    """Write a program that runs a Python file of this folder, with an argument in front of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # run.sh names the folder of the pushed libraries, which are empty here; the emulator must find its own.
    path.write_text(f'#!/bin/sh\nunset LD_LIBRARY_PATH\nexec {sys.executable} {HERE / source} {argument} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    """A QAIRT SDK of the compiler's version whose programs are stand-ins."""
    folder = tmp_path / "qairt"
    script(folder / "bin/aarch64-android/qnn-net-run", "standin_net_run.py")
    script(folder / "bin/x86_64-linux-clang/qnn-profile-viewer", "standin_viewer.py")
    for arch in (69, 73):
        for name in (f"aarch64-android/libQnnHtpV{arch}Stub.so", f"hexagon-v{arch}/unsigned/libQnnHtpV{arch}Skel.so"):
            (folder / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "lib" / name).write_bytes(b"library")
    for name in ("libQnnHtp.so", "libQnnSystem.so", "libQnnHtpNetRunExtensions.so"):
        (folder / "lib/aarch64-android" / name).write_bytes(b"library")
    (folder / "sdk.yaml").write_text("version: 2.51.0.250929\n")
    return folder


@pytest.fixture
def benchmark_model(tmp_path: Path) -> Path:
    """A benchmark_model that runs LiteRT here."""
    return script(tmp_path / "tools/benchmark_model", "standin_benchmark_model.py")


@pytest.fixture
def ncnn_runner(tmp_path: Path) -> Path:
    """An ncnn_runner that runs ncnn here."""
    return script(tmp_path / "tools/ncnn_runner", "standin_ncnn_runner.py")


@pytest.fixture
def perf_test(tmp_path: Path) -> Path:
    """ONNX Runtime's two programs, which run the emulator here."""
    script(tmp_path / "ort/onnx_test_runner", "standin_ort.py", "test")
    return script(tmp_path / "ort/onnxruntime_perf_test", "standin_ort.py", "perf")


@pytest.fixture
def phone(made_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Connect a phone; returns its folder. Keyword arguments: lines of `adb devices`, a fault, properties."""

    def connect(devices: str = f"{SERIAL}\tdevice", fault: str = "", **properties: str) -> Path:
        root = tmp_path / "phone"
        (root / "data/local/tmp").mkdir(parents=True, exist_ok=True)
        values = PROPERTIES | {f"ro.{name.replace('_', '.')}": value for name, value in properties.items()}
        cases = "\n".join(f"{name}) echo {value!r} ;;" for name, value in values.items())
        answers = {"getprop": f'case "$1" in\n{cases}\nesac', "dumpsys": "echo '  temperature: 312'"}
        (root / "system/bin").mkdir(parents=True, exist_ok=True)
        for name, body in answers.items():
            (root / "system/bin" / name).write_text(f"#!/bin/sh\n{body}\n")
            (root / "system/bin" / name).chmod(0o755)
        script(tmp_path / "bin/adb", "standin_adb.py")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("STANDIN_ROOT", str(root))
        monkeypatch.setenv("STANDIN_DEVICES", devices)
        monkeypatch.setenv("STANDIN_FAULT", fault)
        monkeypatch.setenv("STANDIN_MODELS", str(made_export / "export/phone/models"))
        for name in ("QAIRT_SDK_ROOT", "QNN_SDK_ROOT"):
            monkeypatch.delenv(name, raising=False)
        return root

    return connect


@pytest.fixture
def sr_phone(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run `sr phone run`; returns the exit status and what was printed."""

    def call(*arguments: object) -> tuple[int, str]:
        status = command.main(["run", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return call


@pytest.fixture
def certificate() -> Callable[[Path], dict[str, Any]]:
    """Read the certificate of a run."""
    return lambda run: json.loads((run / "export/certificate.json").read_text())
