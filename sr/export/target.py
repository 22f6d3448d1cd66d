"""Export targets: nothing, ONNX Runtime or the Hexagon HTP, each with further engines. These are the YAML's classes."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sr.data.pairs import ImagePair
from sr.evaluation import Upscaler
from sr.export.certificate import forms
from sr.export.certificate.crops import cut_crops
from sr.export.certificate.proof import Bounds, prove
from sr.export.certificate.screen import print_certificate
from sr.export.engine import Engines, build_engines, say_missing
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import lr_size
from sr.export.hexagon import htp, qnn_session
from sr.export.hexagon.chips import chips, emulated
from sr.export.publish import CERTIFICATE, LOG, done, hashed_files, refuse_outside_bounds, workshop
from sr.export.release import SPACE_TO_DEPTH, Release, Simulated, build_release, lifted, write_lifted
from sr.export.runtime import load_onnx, upscaler_of
from sr.models.fingerprint import fingerprint
from sr.models.net import Net
from sr.runs.files import write_json
from sr.runs.silence_logs import native_output_to

_PACKAGES = ("torch", "aimet-torch", "onnx", "onnxruntime", "onnxruntime-qnn")


@dataclass(frozen=True, kw_only=True)
class NoExport:
    """Export nothing."""

    def check(self, scheme: Any) -> None:
        """Accept every scheme."""

    def export(
        self, *, simulation: Simulated, float_net: Net, crops: Sequence[ImagePair], folder: Path
    ) -> dict[str, Any]:
        """Return an empty certificate."""
        return {}

    def upscalers(self, folder: Path) -> dict[str, Upscaler]:
        """Return no upscalers."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Onnx:
    """Write ONNX files and compare them with the net on ONNX Runtime.

    Args:
        size: A target of `shape.TARGETS`, or height x width of the LR image.
        space_to_depth: "operator", or "convolution" to merge it with the 1x1 convolution behind it.
        num_crops: Largest number of crops for the certificate.
        crop_lr_side: LR pixels per side of these crops.
        bounds: Bounds that must hold.
        engines: Further engines by name: `LiteRt`, `OpenVino`, `AiHub`.

    Raises:
        ValueError: `space_to_depth` is an unknown word.
    """

    size: str
    space_to_depth: str
    num_crops: int
    crop_lr_side: int
    bounds: Bounds
    engines: Engines

    def __post_init__(self) -> None:
        if self.space_to_depth not in SPACE_TO_DEPTH:
            known = " or ".join(SPACE_TO_DEPTH)
            raise ValueError(f"export.space_to_depth is {known}, got {self.space_to_depth!r}")

    def check(self, scheme: Any) -> None:
        """Raise ValueError before the training if `export` cannot handle a scheme, and warn of missing engines."""
        self.refuse(scheme)
        say_missing(self.engines)

    def refuse(self, scheme: Any) -> None:
        """Raise ValueError if the target or an engine does not support a scheme."""
        for engine in self.engines.values():
            engine.check(scheme)

    def export(
        self, *, simulation: Simulated, float_net: Net, crops: Sequence[ImagePair], folder: Path
    ) -> dict[str, Any]:
        """Write the files of a release and its certificate, or return the certificate that exists already.

        Args:
            simulation: Net to release, with its biases on their grid; of the fp32 scheme it is the float net.
            float_net: Trained net in its inference form.
            crops: Images for the certificate, whole or cropped; the middles of the first few are used.
            folder: Folder of the release; it is replaced once everything holds, the certificate last.

        Returns:
            The certificate as plain containers.

        Raises:
            ValueError: A bound does not hold (the comparison is in refused.json), or the net cannot be exported.
        """
        self.refuse(simulation.scheme)
        net = simulation.net
        scale, multiple = float(net.scale), int(net.size_multiple)
        cut = cut_crops(crops, scale=scale, multiple=multiple, count=self.num_crops, lr_side=self.crop_lr_side)
        inputs = self._inputs(simulation, float_net, cut)
        if (certificate := done(folder, inputs)) is not None:
            return certificate
        started = time.perf_counter()
        with workshop(folder) as work:
            release = build_release(
                simulation,
                float_net,
                work,
                proof_size=cut[0].lr.shape[:2],
                target_size=lr_size(self.size, scale=scale, multiple=multiple),
                space_to_depth=self.space_to_depth,
            )
            (folder / LOG).unlink(missing_ok=True)
            htp, compiled = self._on_hexagon(release, work, folder / LOG)
            others, reports = build_engines(self.engines, release, work, folder / LOG)
            compared = [*forms.all_forms(release, simulation, float_net, htp), *(form for form, _ in others)]
            proof = prove(compared, forms.comparisons(release, simulation, self.bounds, htp, others), cut, net)
            outcome = {
                "rewrites": release.notes,
                "hexagon": compiled,
                "engines": reports,
                "files": hashed_files(work),
                "seconds": round(time.perf_counter() - started, 3),
            }
            certificate = {"inputs": inputs, **proof, **outcome}
            print_certificate(certificate)
            refuse_outside_bounds(certificate, folder)
            write_json(work / CERTIFICATE, certificate)
        return certificate

    def upscalers(self, folder: Path) -> dict[str, Upscaler]:
        """Return the exported net as functions on whole images of any size, by the name of the runtime.

        Args:
            folder: Folder of an export.
        """
        found = {"onnxruntime": load_onnx(folder / "pixels.onnx")}
        for engine in self.engines.values():
            found |= {} if engine.why_missing() else engine.upscalers(folder, folder / LOG)
        return found

    def _on_hexagon(self, release: Release, work: Path, log: Path) -> tuple[dict[int, forms.Emulator], dict[str, Any]]:
        """Return emulators for the certificate, and what was compiled."""
        return {}, {"skipped": "the target is ONNX Runtime"}

    def _inputs(self, simulation: Simulated, float_net: Net, crops: list[ImagePair]) -> dict[str, Any]:
        """Return everything that decides the outcome; an export with the same inputs is not repeated."""
        return {
            "float_net_sha256": fingerprint(float_net),
            "simulation_sha256": fingerprint(simulation.net, simulation.scheme.name),
            "crops_sha256": fingerprint(*(array for pair in crops for array in (pair.lr, pair.hr))),
            "crops": {"names": [pair.name for pair in crops], "lr_height_width": list(crops[0].lr.shape[:2])},
            "target": type(self).__name__,
            "settings": json.loads(json.dumps(asdict(self), default=list)),
            "versions": _versions(self.engines),
            "machine": f"{platform.system()} {platform.machine()}",
        }


@dataclass(frozen=True, kw_only=True)
class Hexagon(Onnx):
    """Write ONNX files and compiled files for the HTP, and compare them on ONNX Runtime and on the HTP's emulator.

    Without onnxruntime-qnn only the ONNX part is done, and the certificate lists what is missing.

    Args:
        emulate: HTP versions to emulate for the certificate.
        chips: Part numbers to compile for.
        estimates: Part numbers for which the compiler estimates the time.
        v69_lift_lsb: Amount by which biases are raised for chips whose HTP rounds down (`biases.lift_biases`), in LSB;
            0 switches it off.
    """

    emulate: Sequence[int]
    chips: Sequence[str]
    estimates: Sequence[str]
    v69_lift_lsb: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for arch in self.emulate:
            emulated(arch)
        chips([*self.chips, *self.estimates])

    def refuse(self, scheme: Any) -> None:
        """Raise ValueError for 16-bit weights too, which no HTP supports; see `Onnx.refuse`."""
        super().refuse(scheme)
        if not scheme.is_float and scheme.weight_bits == 16:
            raise ValueError(
                f"the HTP takes weights of 4 or 8 bits, and scheme {scheme.name} has weight_bits=16; "
                "take quantization.weight_bits=8 (activations may have 16), quantization=fp16, or export=onnx"
            )

    def upscalers(self, folder: Path) -> dict[str, Upscaler]:
        """Return the upscalers of `Onnx.upscalers` and the emulators, which take about 14 us per LR pixel."""
        found = super().upscalers(folder)
        with native_output_to(folder / LOG):
            missing = qnn_session.why_hexagon_is_missing()
        if missing:
            return found
        emulators = self._emulators(folder, folder / LOG)
        for arch, emulator in emulators.items():
            found[f"htp_v{arch}"] = upscaler_of(Graph.load(folder / emulator.file), emulator.run)
        return found

    def _emulators(self, folder: Path, log: Path) -> dict[int, forms.Emulator]:
        files = {arch: lifted(folder / "pixels.onnx", arch) for arch in self.emulate}
        return {
            arch: forms.Emulator(htp.on_htp(Graph.load(path), arch=arch, log=log), path.name)
            for arch, path in files.items()
        }

    def _on_hexagon(self, release: Release, work: Path, log: Path) -> tuple[dict[int, forms.Emulator], dict[str, Any]]:
        with native_output_to(log):
            missing = qnn_session.why_hexagon_is_missing()
        if missing:
            return {}, {"skipped": missing}
        if release.quantized and self.v69_lift_lsb:
            write_lifted(release, work, self.v69_lift_lsb)
        htp.write_dlc(release.fixed, work / "hexagon" / f"{release.fixed.stem}.dlc", log)
        contexts, estimates = (
            [(chip, lifted(release.fixed, chip.arch)) for chip in chips(names)]
            for names in (self.chips, self.estimates)
        )
        return self._emulators(work, log), {
            "contexts": [htp.compile_context(path, chip, work / "hexagon", log) for chip, path in contexts],
            "estimates": [htp.estimate(path, chip, log) for chip, path in estimates],
        }


def _versions(engines: Engines) -> dict[str, str]:
    found = {}
    for package in (*_PACKAGES, *(engine.package for engine in engines.values())):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found
