"""Export target Hexagon HTP: ONNX files and compiled files, compared on ONNX Runtime and on the HTP's emulator."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sr.config.sizes import lr_sides
from sr.evaluation import Upscaler
from sr.export.certificate import forms
from sr.export.engine import Exported
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.polyphase_tail import POLYPHASE
from sr.export.graph.shape import fix_shape, lr_size
from sr.export.hexagon import htp, qnn_session
from sr.export.hexagon.chips import LAST_ROUNDING_DOWN, chips, emulated
from sr.export.hexagon.compiled import cached_context, cached_estimate, compiler_versions
from sr.export.phone_models import phone_models
from sr.export.publish import LOG
from sr.export.release import Release, Simulated, build_release, lifted, write_float, write_lifted
from sr.export.runtime import Runtime, upscaler_of
from sr.export.tail import PLAIN, TAILS, Estimator, choose_tails
from sr.export.target import Onnx
from sr.models.net import Net
from sr.runs.parts import Parts
from sr.runs.silence_logs import native_output_to

_TRACED = (64, 64)  # LR pixels of the traced graph; what is compiled has the size of the target


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
        tail: Form of the net's tail in the compiled files, see `tail.choose_tails`.

    Raises:
        ValueError: A chip, an HTP version or `tail` is unknown, or `size` is odd and `tail` is "polyphase".
    """

    emulate: Sequence[int]
    chips: Sequence[str]
    estimates: Sequence[str]
    v69_lift_lsb: float
    tail: str

    def __post_init__(self) -> None:
        super().__post_init__()
        for arch in self.emulate:
            emulated(arch)
        chips([*self.chips, *self.estimates])
        if self.tail not in TAILS:
            raise ValueError(f"export.tail is {', '.join(TAILS[:-1])} or {TAILS[-1]}, got {self.tail!r}")
        if self.tail == POLYPHASE and any(side % 2 for side in lr_sides(self.size) or ()):
            raise ValueError(
                f"export.tail=polyphase needs even LR sides, got size={self.size}; take export.tail=auto or plain"
            )

    def check(self, scheme: Any, net: Net) -> None:
        """Raise ValueError before the training if `tail` is "polyphase" and the net has no such form, too."""
        super().check(scheme, net)
        if self.tail == POLYPHASE:
            with tempfile.TemporaryDirectory() as folder:
                plain = Path(folder) / "pixels.onnx"
                write_float(net, plain, _TRACED)
                graph = Graph.load(plain)
                fix_shape(graph, *self._lr_size(net))
                choose_tails(graph.save(plain), POLYPHASE, [], partial(htp.estimate, log=plain.with_suffix(".log")))

    def refuse(self, scheme: Any) -> None:
        """Raise ValueError for 16-bit weights too, which no HTP supports; see `Onnx.refuse`."""
        super().refuse(scheme)
        if not scheme.is_float and scheme.weight_bits == 16:
            raise ValueError(
                f"the HTP takes weights of 4 or 8 bits, and scheme {scheme.name} has weight_bits=16; "
                "take quantization.weight_bits=8 (activations may have 16), quantization=fp16, or export=onnx"
            )

    def runtimes(self, folder: Path) -> dict[str, Exported]:
        """Return the runtimes of `Onnx.runtimes` and the emulators, which take about 14 us per LR pixel.

        The emulators run the plain tail, which takes images of any size.
        """
        found = super().runtimes(folder)
        with native_output_to(folder / LOG):
            missing = qnn_session.why_hexagon_is_missing()
        if missing:
            return found
        for name, emulator in self._emulators(folder / "pixels.onnx", folder / LOG).items():
            path = folder / emulator.file
            found[name] = Exported([path], partial(_opened, path, emulator.run))
        return found

    def estimate_chips(self, simulation: Simulated, float_net: Net, estimate: Estimator | None = None) -> list[Any]:
        """Return the compiler's estimates for `estimates`, each for the tail that the chip gets; nothing is kept.

        Args:
            simulation: Quantized net, with its biases on their grid.
            float_net: Net in its inference form.
            estimate: Function (file, chip) -> estimate; None takes `htp.estimate`.
        """
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            release = build_release(
                simulation,
                float_net,
                work,
                proof_size=_TRACED,
                target_size=self._lr_size(float_net),
                space_to_depth=self.space_to_depth,
            )
            asked, log = chips(self.estimates), work / LOG
            estimate = estimate or partial(htp.estimate, log=log)
            tails = choose_tails(release.fixed, self.tail, asked, estimate)
            return [estimate(tails.file(chip), chip) | tails.by_arch[chip.arch] for chip in asked]

    def _lr_size(self, net: Net) -> tuple[int, int]:
        return lr_size(self.size, scale=float(net.scale), multiple=int(net.size_multiple))

    @property
    def crop_multiple(self) -> int:
        """Return 2 where a tail may be in polyphase form, which takes even sides only."""
        return 1 if self.tail == PLAIN else 2

    def _emulators(self, path: Path, log: Path, archs: Sequence[int] | None = None) -> dict[str, forms.Emulator]:
        """Return the emulators of a file for HTP versions, by the names of their forms."""
        polyphase = "" if path.name == "pixels.onnx" else f"_{POLYPHASE}"
        found = {}
        for arch in self.emulate if archs is None else archs:
            file = lifted(path, arch)
            run = htp.on_htp(Graph.load(file), arch=arch, log=log)
            title = f"HTP v{arch}{polyphase.replace('_', ' ')}"
            found[f"htp_v{arch}{polyphase}"] = forms.Emulator(run, file.name, title)
        return found

    def _on_hexagon(self, release: Release, work: Path, log: Path, parts: Parts) -> forms.HexagonResult:
        with native_output_to(log):
            missing = qnn_session.why_hexagon_is_missing()
        if missing:
            return forms.HexagonResult({}, {"skipped": missing})
        contexts, estimates = chips(self.chips), chips(self.estimates)
        estimate = partial(cached_estimate, log=log, parts=parts)
        tails = choose_tails(release.fixed, self.tail, [*contexts, *estimates], estimate)
        if release.quantized and self.v69_lift_lsb:
            polyphase = [tails.polyphase] if tails.polyphase and tails.need(LAST_ROUNDING_DOWN) else []
            for path in (work / "pixels.onnx", release.fixed, *polyphase):
                write_lifted(path, self.v69_lift_lsb)
        htp.write_dlc(release.fixed, work / "hexagon" / f"{release.fixed.stem}.dlc", log)
        report: dict[str, Any] = {
            "contexts": [
                cached_context(tails.file(chip), chip, work / "hexagon", log, parts=parts) | tails.by_arch[chip.arch]
                for chip in contexts
            ],
            "estimates": [estimate(tails.file(chip), chip) | tails.by_arch[chip.arch] for chip in estimates],
        }
        report["compiler"] = compiler_versions(report["contexts"])
        emulators = self._emulators(work / "pixels.onnx", log)
        if tails.polyphase is not None:
            emulators |= self._emulators(tails.polyphase, log, [arch for arch in self.emulate if tails.need(arch)])
        crop = release.proof_size
        models, left_out = phone_models(report["contexts"], tails, crop, work, log, forms=emulators, parts=parts)
        return forms.HexagonResult(emulators, report | {"left_out": left_out}, tails.polyphase, tails.notes, models)


def _opened(path: Path, run: Runtime) -> Upscaler:
    return upscaler_of(Graph.load(path), run)
