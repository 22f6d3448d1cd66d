"""Export the quantized net, and prove the export."""

from dataclasses import dataclass
from importlib import metadata
from typing import Any

from sr.data.pairs import ImagePair
from sr.export.certificate.crops import cut_crops
from sr.export.certificate.proof import PROTOCOL
from sr.export.graph.shape import lr_size
from sr.export.target import NoExport
from sr.models.fingerprint import fingerprint
from sr.quantization.batch_norms import without_batch_norms
from sr.quantization.ptq import calibrate
from sr.stages.quantize import calibration_inputs, simulation_hash, simulation_of
from sr.stages.stage import Job, Outcome, Stage

EXPORT_FOLDER = "export"
EXPORT_RESULT = f"{EXPORT_FOLDER}/export.json"
_PACKAGES = ("aimet-torch", "onnx", "onnxruntime", "onnxruntime-qnn")


@dataclass(frozen=True, kw_only=True)
class Export(Stage):
    """Write the files of the target with their certificate."""

    name = "export"
    result = EXPORT_RESULT
    requires = ("quantize",)

    def skip_reason(self, job: Job) -> str:
        """See `Stage.skip_reason`."""
        return "export=none" if isinstance(job.target, NoExport) else super().skip_reason(job)

    def check(self, job: Job) -> None:
        """See `Stage.check`."""
        job.target.check(job.scheme, job.net)
        scale, multiple = float(job.net.scale), int(job.net.size_multiple)
        lr_size(job.target.size, scale=scale, multiple=multiple)
        crop = self._crops(job)[0]
        height, width = crop.hr.shape[:2]
        try:
            PROTOCOL.check_size(height, width, scale)
            if min(crop.lr.shape[:2]) < job.net.min_size:
                raise ValueError(f"the net takes no images below {job.net.min_size} pixels")
        except ValueError as error:
            raise ValueError(
                f"export.crop_lr_side={job.target.crop_lr_side} gives crops of {crop.lr.shape[1]}x{crop.lr.shape[0]} "
                f"LR pixels for the proof: {error}; raise it, or take larger test images"
            ) from error
        if job.target.engines:
            batch = calibration_inputs(job.images, job.net, 1, 1)
            job.target.rehearse(
                calibrate(net=without_batch_norms(job.net), scheme=job.scheme, calibration=batch), job.net
            )

    def _crops(self, job: Job) -> list[ImagePair]:
        pairs = [pair for pairs in job.images.test_sets().values() for pair in pairs]
        sizes = {"count": job.target.num_crops, "lr_side": job.target.crop_lr_side}
        return cut_crops(pairs, scale=float(job.net.scale), multiple=int(job.net.size_multiple), **sizes)

    def inputs(self, job: Job) -> dict[str, Any]:
        """See `Stage.inputs`; an engine that was installed since is another export."""
        packages = [*_PACKAGES, *(name for engine in job.target.engines.values() for name in engine.packages)]
        return {
            "net": fingerprint(job.net),
            "simulation": simulation_hash(job.folder),
            "crops": fingerprint(*(array for pair in self._crops(job) for array in (pair.lr, pair.hr))),
            "installed": {package: _version(package) for package in packages},
        }

    def work(self, job: Job) -> Outcome:
        """Return the certificate."""
        folder = job.folder / EXPORT_FOLDER
        certificate = job.target.export(
            simulation=simulation_of(job), float_net=job.net, crops=self._crops(job), folder=folder, parts=job.parts
        )
        files = [f"{EXPORT_FOLDER}/{name}" for name in (*certificate["files"], "certificate.json")]
        return Outcome({"export": certificate}, files)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"
