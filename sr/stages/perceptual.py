"""Score how natural the pictures look: bicubic, the float net, the quantized net, and the true images beside them."""

from dataclasses import dataclass
from typing import Any

from sr.evaluation import PerceptualScores, upscaler
from sr.evaluation.perceptual_scores import NEED_SIZE
from sr.models.fingerprint import fingerprint
from sr.models.interpolation import Bicubic
from sr.stages.quantize import QUANTIZED_RESULT, simulation_hash, simulation_of
from sr.stages.stage import Job, Outcome, Stage


@dataclass(frozen=True, kw_only=True)
class Perceptual(Stage):
    """Measure every test set by `measures`; the quantized net where there is one.

    Args:
        measures: names of measures, see `sr.evaluation.perceptual_scores`.
    """

    measures: list[str]
    name = "perceptual"
    result = "evaluation/perceptual.json"

    def skip_reason(self, job: Job) -> str:
        """See `Stage.skip_reason`."""
        return super().skip_reason(job) if self.measures else "measures=[]"

    def check(self, job: Job) -> None:
        """See `Stage.check`; what a measure needs is looked for, and the images are large enough."""
        scores = self._scores(job)
        for name, pairs in job.images.test_sets().items():
            for pair in pairs:
                try:
                    scores.check_size(*pair.hr.shape[:2])
                except ValueError as error:
                    needing = [name for name in self.measures if name in NEED_SIZE]
                    advice = f"take larger images, or measures without {', '.join(needing)}"
                    raise ValueError(f"test set {name}: {pair.name}: {error}; {advice}") from error

    def _scores(self, job: Job) -> PerceptualScores:
        return PerceptualScores(self.measures, job.protocol, float(job.net.scale))

    def _has_simulation(self, job: Job) -> bool:
        return (job.folder / QUANTIZED_RESULT).is_file() and not job.scheme.is_float

    def inputs(self, job: Job) -> dict[str, Any]:
        """See `Stage.inputs`."""
        simulation = simulation_hash(job.folder) if self._has_simulation(job) else None
        return {"net": fingerprint(job.net), "simulation": simulation, "images": dict(job.images.test_hashes())}

    def work(self, job: Job) -> Outcome:
        """Return {"quality": {form: {set: {measure: value, "hr_<measure>": value of the true images}}}}."""
        scores = self._scores(job)
        upscalers = {"bicubic": upscaler(Bicubic(scale=job.net.scale)), "float": upscaler(job.net)}
        if self._has_simulation(job):
            upscalers["simulated"] = upscaler(simulation_of(job).net, job.net)
        quality: dict[str, Any] = {form: {} for form in upscalers}
        for name, pairs in job.images.test_sets().items():
            true = {f"hr_{measure}": value for measure, value in scores.evaluate(None, pairs).items()}
            for form, upscale in upscalers.items():
                quality[form][name] = scores.evaluate(upscale, pairs) | true
        return Outcome({"quality": quality})
