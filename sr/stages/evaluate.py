"""Score a net on the test sets: bicubic beside it, the float net, the simulation, and what was exported."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sr import metrics
from sr.config.checks import names
from sr.evaluation import Upscale, check_color, evaluate, upscaler
from sr.export.engine import Exported
from sr.export.target import NoExport
from sr.models.fingerprint import fingerprint
from sr.models.interpolation import Bicubic
from sr.runs.files import sha256
from sr.stages.export import EXPORT_FOLDER
from sr.stages.quantize import simulation_hash, simulation_of
from sr.stages.stage import Job, Outcome, Stage
from sr.stages.stage_images import StageImages

FORMS = ("bicubic", "float", "simulated", "exported")


@dataclass(frozen=True, kw_only=True)
class Evaluate(Stage):
    """Score one form of the net on every test set; each form has a result file of its own.

    Args:
        form: "bicubic", "float", "simulated", or "exported".
        runtime: of an exported form; none stands for all of them, see `split`.
    """

    form: str
    runtime: str = ""
    name = "evaluate"

    @property
    def result(self) -> str:
        """Return the result file of the form."""
        return f"evaluation/{self.form}{'_' if self.runtime else ''}{self.runtime}.json"

    @property
    def requires(self) -> tuple[str, ...]:
        """Return the stage that makes the form."""
        return {"simulated": ("quantize",), "exported": ("export",)}.get(self.form, ())

    def skip_reason(self, job: Job) -> str:
        """Return why a form is not scored; bicubic and a net without weights always are."""
        if self.form in ("bicubic", "float"):
            return ""
        if self.form == "simulated" and job.scheme.is_unchanged:
            return "the scheme changes nothing: its scores are those of the float net"
        if self.form == "exported" and isinstance(job.target, NoExport):
            return "export=none"
        return super().skip_reason(job)

    def split(self, job: Job) -> list[Stage]:
        """See `Stage.split`; each runtime of the export that works here has a result of its own."""
        if self.form != "exported":
            return [self]
        return [replace(self, runtime=name) for name in job.target.runtimes(job.folder / EXPORT_FOLDER)]

    def check(self, job: Job) -> None:
        """See `Stage.check`."""
        if self.form == "float":
            check_color(upscaler(job.net), job.protocol)

    def inputs(self, job: Job) -> dict[str, Any]:
        """See `Stage.inputs`."""
        return {"form": self._form_hash(job), "images": dict(job.images.test_hashes())}

    def _form_hash(self, job: Job) -> Any:
        if self.form == "bicubic":
            return f"bicubic x{job.net.scale:g}"
        if self.form == "float":
            return fingerprint(job.net)
        if self.form == "simulated":
            return simulation_hash(job.folder)
        return {path.name: sha256(path) for path in self._exported(job).files} | {"runtime": self.runtime}

    def _exported(self, job: Job) -> Exported:
        return job.target.runtimes(job.folder / EXPORT_FOLDER)[self.runtime]

    def work(self, job: Job) -> Outcome:
        """Return {"quality": {form: {set: score}}}."""
        scores = score_sets(self._upscaler(job), job.images, job.protocol, float(job.net.scale))
        return Outcome({"quality": {self.runtime or self.form: scores}})

    def _upscaler(self, job: Job) -> Upscale:
        if self.form == "bicubic":
            return upscaler(Bicubic(scale=job.net.scale))
        if self.form == "float":
            return upscaler(job.net)
        if self.form == "simulated":
            return upscaler(simulation_of(job).net, job.net)
        return self._exported(job).open()


@dataclass(frozen=True, kw_only=True)
class Evaluations:
    """Which forms of the net are scored, of `FORMS`.

    Args:
        forms: their names.

    Raises:
        ValueError: an unknown form.
    """

    forms: Sequence[str]

    def __post_init__(self) -> None:
        """Check the names."""
        if unknown := [form for form in names("callbacks.evaluate.forms", self.forms) if form not in FORMS]:
            raise ValueError(f"callbacks.evaluate.forms has {', '.join(unknown)}; the forms are {', '.join(FORMS)}")

    def of(self, *forms: str) -> list[Evaluate]:
        """Return the stages of those forms that are asked for."""
        return [Evaluate(form=form) for form in forms if form in self.forms]


def score_sets(upscale: Upscale, images: StageImages, protocol: metrics.Protocol, scale: float) -> dict[str, Any]:
    """Score one upscaler on every test set: {set: score}."""
    return {name: evaluate(upscale, pairs, protocol, scale).to_dict() for name, pairs in images.test_sets().items()}
