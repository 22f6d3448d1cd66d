"""Export targets: nothing or ONNX Runtime, with further engines. These are classes of the YAML."""

import json
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sr.data.pairs import ImagePair
from sr.export.certificate import forms
from sr.export.certificate.crops import cut_crops
from sr.export.certificate.proof import Bounds, Form, prove
from sr.export.certificate.screen import print_certificate
from sr.export.engine import Engines, Exported, build_engines, say_missing
from sr.export.graph.shape import lr_size
from sr.export.kit.phone_kit import PhoneKit
from sr.export.kit_model import KIT
from sr.export.publish import CERTIFICATE, LOG, done, hashed_files, refuse_outside_bounds, workshop
from sr.export.release import SPACE_TO_DEPTH, Release, Simulated, build_release
from sr.export.runtime import load_onnx
from sr.models.fingerprint import fingerprint
from sr.models.net import Net
from sr.runs.files import sha256, write_json
from sr.runs.parts import NO_PARTS, Parts

_TRACED = (64, 64)  # LR pixels of a graph that is only looked at
_PACKAGES = ("torch", "aimet-torch", "onnx", "onnxruntime", "onnxruntime-qnn")


@dataclass(frozen=True, kw_only=True)
class NoExport:
    """Export nothing."""


@dataclass(frozen=True, kw_only=True)
class Onnx:
    """Write ONNX files and compare them with the net on ONNX Runtime.

    Args:
        size: A target of `shape.TARGETS`, or height x width of the LR image.
        space_to_depth: "operator", or "convolution" to merge it with the 1x1 convolution behind it.
        num_crops: Largest number of crops for the certificate.
        crop_lr_side: LR pixels per side of these crops.
        bounds: Bounds that must hold.
        engines: Further engines by name: `LiteRt`, `OpenVino`, `Ncnn`, `AiHub`.

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

    def check(self, scheme: Any, net: Net) -> None:
        """Raise ValueError before the training if `export` cannot handle it, and warn of missing engines.

        Args:
            scheme: Scheme of the net to release.
            net: Net in its inference form; its weights do not matter.
        """
        self.refuse(scheme)
        say_missing(self.engines)

    def rehearse(self, simulation: Simulated, float_net: Net) -> None:
        """Raise ValueError before the training if an engine lacks an operator of the net.

        Args:
            simulation: The quantized net; its weights and ranges do not matter.
            float_net: Net in its inference form.
        """
        engines = [engine for engine in self.engines.values() if not engine.why_missing()]
        if not engines:
            return
        with tempfile.TemporaryDirectory() as folder:
            sizes = {"proof_size": _TRACED, "target_size": _TRACED}
            release = build_release(simulation, float_net, Path(folder), space_to_depth=self.space_to_depth, **sizes)
            for engine in engines:
                engine.check_graph(release)

    def refuse(self, scheme: Any) -> None:
        """Raise ValueError if the target or an engine does not support a scheme."""
        for engine in self.engines.values():
            engine.check(scheme)

    def export(
        self,
        *,
        simulation: Simulated,
        float_net: Net,
        crops: Sequence[ImagePair],
        folder: Path,
        parts: Parts = NO_PARTS,
    ) -> dict[str, Any]:
        """Write the files of a release and its certificate, or return the certificate that exists already.

        Args:
            simulation: Net to release, with its biases on their grid; of the fp32 scheme it is the float net.
            float_net: Trained net in its inference form.
            crops: Images for the certificate, whole or cropped; the middles of the first few are used.
            folder: Folder of the release; it is replaced once everything holds, the certificate last.
            parts: Compilations, estimates and comparisons of earlier exports, which are not made again.

        Returns:
            The certificate as plain containers.

        Raises:
            ValueError: A bound does not hold (the comparison is in refused.json), or the net cannot be exported.
        """
        self.refuse(simulation.scheme)
        net = simulation.net
        scale, multiple = float(net.scale), int(net.size_multiple)
        grid = multiple * self.crop_multiple
        cut = cut_crops(crops, scale=scale, multiple=grid, count=self.num_crops, lr_side=self.crop_lr_side)
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
            compiled = self._on_hexagon(release, work, folder / LOG, parts)
            others, reports, models = build_engines(self.engines, release, work, folder / LOG)
            compared = [*forms.all_forms(release, simulation, float_net, compiled), *(each.form for each in others)]
            links = forms.comparisons(release, simulation, self.bounds, compiled, others)
            kit = PhoneKit(work / KIT, [*compiled.models, *models])
            decisive = _proof_inputs(inputs, compared, links, work) | {"kit": kit.forms}
            proof = parts.take("proof", decisive, lambda: kit.proven(prove, compared, links, cut, net), kit.folder)
            kit.complete(compared, links[1], cut, release, compiled.report)
            outcome = {
                "rewrites": [*release.notes, *compiled.notes],
                "hexagon": compiled.report,
                "engines": reports,
                "files": hashed_files(work),
                "seconds": round(time.perf_counter() - started, 3),
            }
            certificate = {"inputs": inputs, **proof, **outcome}
            print_certificate(certificate)
            refuse_outside_bounds(certificate, folder)
            write_json(work / CERTIFICATE, certificate)
        return certificate

    def runtimes(self, folder: Path) -> dict[str, Exported]:
        """Return the runtimes that work here, by their names, for whole images of any size.

        Args:
            folder: Folder of an export.
        """
        pixels = folder / "pixels.onnx"
        found = {"onnxruntime": Exported([pixels], lambda: load_onnx(pixels))}
        for engine in self.engines.values():
            found |= {} if engine.why_missing() else engine.runtimes(folder, folder / LOG)
        return found

    @property
    def crop_multiple(self) -> int:
        """Return the number that sides of the crops are multiples of, in units of the net's own multiple."""
        return 1

    def _on_hexagon(self, release: Release, work: Path, log: Path, parts: Parts) -> forms.HexagonResult:
        """Return what was compiled, with the emulators for the certificate."""
        return forms.HexagonResult({}, {"skipped": "the target is ONNX Runtime"})

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


def _proof_inputs(inputs: Mapping[str, Any], compared: Sequence[Form], links: Any, work: Path) -> dict[str, Any]:
    """Return what decides a proof: the nets, the crops, the files of all forms, and what is compared how."""
    return {
        **{key: value for key, value in inputs.items() if key not in ("target", "settings")},
        "forms": [[form.name, form.title, form.file and sha256(work / form.file)] for form in compared],
        "comparisons": links,
    }


def _versions(engines: Engines) -> dict[str, str]:
    found = {}
    for package in (*_PACKAGES, *(name for engine in engines.values() for name in engine.packages)):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found
