"""The classes that a `_target_` may name, and how they are built.

A run folder, a weights file or a card may come from somebody else. Their text must never choose what code runs, so a
`_target_` is looked up in the lists below and never imported freely:

- `ALLOWED_NETS`: what a file may name. Reading a net has no effect but the net.
- `ALLOWED_NETS` and `ALLOWED_PARTS`: what the composed config of a command may name.
- A class of your own: name it on the command line (`model._target_=my.module.Net`), or add it to a list.
"""

import importlib
import inspect
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

TARGET, PARTIAL = "_target_", "_partial_"
ALLOWED_NETS = (
    "sr.models.abpn.ABPN",
    "sr.models.bicubicpp.BicubicPlusPlus",
    "sr.models.compact.Compact",
    "sr.models.edsr.EDSR",
    "sr.models.edsr_mobile.EDSRMobile",
    "sr.models.espcn.ESPCN",
    "sr.models.etds.ETDS",
    "sr.models.fsr1.FSR1",
    "sr.models.fsrcnn.FSRCNN",
    "sr.models.interpolation.Bicubic",
    "sr.models.interpolation.Nearest",
    "sr.models.mesrnet.MESRNet",
    "sr.models.quicksrnet.QuickSRNet",
    "sr.models.quicksrnet.StridedQuickSRNet",
    "sr.models.rfdn.RFDN",
    "sr.models.rrdbnet.RRDBNet",
    "sr.models.sesr.SESR",
    "sr.models.span.SPAN",
    "sr.models.srresnet.SRResNet",
    "sr.models.xlsr.XLSR",
    "sr.pruning.narrowed.narrow",
)
ALLOWED_PARTS = (
    "lightning.Trainer",
    "lightning.pytorch.loggers.CSVLogger",
    "lightning.pytorch.loggers.TensorBoardLogger",
    "lightning.pytorch.loggers.WandbLogger",
    "sr.callbacks.checkpoint.LastCheckpoint",
    "sr.callbacks.gan_monitor.GanMonitor",
    "sr.callbacks.throughput.Throughput",
    "sr.callbacks.validation_images.ValidationImages",
    "sr.data.degradation.camera.Camera",
    "sr.data.degradation.chain.Degradation",
    "sr.data.degradation.codec.Codec",
    "sr.data.degradation.jpeg.Jpeg",
    "sr.data.degradation.point_sampling.PointSampling",
    "sr.data.degradation.real_esrgan.RealEsrgan",
    "sr.data.module.ImageData",
    "sr.export.ai_hub.AiHub",
    "sr.export.certificate.proof.Bounds",
    "sr.export.hexagon_target.Hexagon",
    "sr.export.litert.interpreter.LiteRt",
    "sr.export.ncnn.Ncnn",
    "sr.export.openvino.OpenVino",
    "sr.export.target.NoExport",
    "sr.export.target.Onnx",
    "sr.losses.adversarial.RelativisticAverage",
    "sr.losses.adversarial.Standard",
    "sr.losses.perceptual_loss.NoPerceptualLoss",
    "sr.losses.perceptual_loss.PerceptualLoss",
    "sr.losses.pixel.Charbonnier",
    "sr.losses.pixel.L1",
    "sr.losses.pixel.L2",
    "sr.models.discriminators.ESRGANDiscriminator",
    "sr.models.discriminators.PatchDiscriminator",
    "sr.models.discriminators.SRGANDiscriminator",
    "sr.models.discriminators.UNetDiscriminator",
    "sr.optimizers.soap.Soap",
    "sr.pretrained.trained.trained",
    "sr.pruning.filters.Filters",
    "sr.pruning.filters.Given",
    "sr.quantization.adaround.AdaRound",
    "sr.quantization.bias_correction.BiasCorrection",
    "sr.quantization.equalization.CrossLayerEqualization",
    "sr.quantization.gptq.Gptq",
    "sr.quantization.qat.Qat",
    "sr.quantization.scheme.Scheme",
    "sr.quantization.sequential_mse.SequentialMse",
    "sr.stages.cost.CostOfNet",
    "sr.stages.evaluate.Evaluations",
    "sr.stages.export.Export",
    "sr.stages.images.Images",
    "sr.stages.perceptual.Perceptual",
    "sr.stages.quantize.Quantize",
    "sr.stages.report.FinalReport",
    "sr.stages.sensitivity.Sensitivity",
    "sr.tasks.distillation.Distillation",
    "sr.tasks.dual_stream.DualStream",
    "sr.tasks.gan.Gan",
    "sr.tasks.magnitude_pruning.Pruning",
    "sr.tasks.regression.Regression",
    "torch.optim.Adam",
    "torch.optim.lr_scheduler.ConstantLR",
    "torch.optim.lr_scheduler.CosineAnnealingLR",
    "torch.optim.lr_scheduler.MultiStepLR",
    "torch.optim.lr_scheduler.OneCycleLR",
    "torch.optim.lr_scheduler.StepLR",
)


def build_node(node: Any, *, own: Collection[str] = ()) -> Any:
    """Build what a node of the composed config describes: its inner nodes first, then the class that it names.

    Args:
        node: Plain containers. A mapping with `_target_` becomes an object; with `_partial_`, a partial call of it.
        own: Classes that the user named on the command line, beyond the lists.

    Raises:
        ValueError: A class on no list, or a value that its constructor does not take.
    """
    if isinstance(node, list):
        return [build_node(item, own=own) for item in node]
    if not isinstance(node, Mapping):
        return node
    arguments = {key: build_node(value, own=own) for key, value in node.items() if key not in (TARGET, PARTIAL)}
    if TARGET not in node:
        return arguments
    name = node[TARGET]
    if name not in (*ALLOWED_NETS, *ALLOWED_PARTS, *own):
        raise ValueError(
            f"_target_={name!r} is on no list of sr/config/targets.py; to build a class of your own, name it on the "
            "command line, as in model._target_=my.module.Net, or add it there"
        )
    return _call(name, _located(name), arguments, node.get(PARTIAL, False))


def build_net(node: Any, *, source: str, own: Collection[str] = ()) -> Any:
    """Build the net that a file describes; nothing else can be built, whatever the file names.

    Args:
        node: `_target_` and arguments, as in a run's config.
        source: The file, for the message.
        own: Classes that the user named on the command line, beyond `ALLOWED_NETS`.

    Raises:
        ValueError: Not a net of this project, or arguments that it does not take.
    """
    check_net(node, source=source, own=own)
    try:
        return build_node(node, own=own)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


def check_net(node: Any, *, source: str, own: Collection[str] = ()) -> None:
    """Refuse what `build_net` would not build, without importing anything.

    Raises:
        ValueError: Not the description of a net, or what `refuse_foreign` refuses.
    """
    if not isinstance(node, Mapping) or TARGET not in node:
        raise ValueError(f"{source} describes no net: it names no class (_target_)")
    refuse_foreign(node, source=source, own=own)


def refuse_foreign(value: Any, *, source: str, own: Collection[str] = ()) -> None:
    """Refuse what a file gives to build a net from, if it names another class or holds other than plain values.

    Args:
        value: Containers of `_target_` and arguments, at any depth.
        source: The file, for the message.
        own: Classes that the user named on the command line, beyond `ALLOWED_NETS`.

    Raises:
        ValueError: One line that names the file and the value.
    """
    if isinstance(value, Mapping):
        name = value.get(TARGET, ALLOWED_NETS[0])
        if name not in (*ALLOWED_NETS, *own) or value.get(PARTIAL):
            raise ValueError(
                f"{source} names the class {name!r}, and a file may only name nets of this project; nothing was run. "
                "Do not use this file, unless the class is your own: then add it to sr/config/targets.py"
            )
        for key, each in value.items():
            refuse_foreign(key, source=source, own=own)
            refuse_foreign(each, source=source, own=own)
    elif isinstance(value, list):
        for each in value:
            refuse_foreign(each, source=source, own=own)
    elif not isinstance(value, bool | int | float | str | None) or "${" in str(value):
        raise ValueError(f"{source} describes a net with {value!r}; its arguments are numbers and words only")


def _located(name: str) -> Callable[..., Any]:
    """Import a class or function of a list by its dotted name."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:  # ValueError: no module in front of the name
        raise ValueError(f"_target_={name!r} cannot be imported: {error}") from error


def _call(name: str, target: Callable[..., Any], arguments: dict[str, Any], later: bool) -> Any:
    try:
        if later:
            inspect.signature(target).bind_partial(**arguments)  # refuses an unknown setting now, not at the call
            return partial(target, **arguments)
        return target(**arguments)
    except TypeError as error:
        raise ValueError(f"a setting of {name} has the wrong kind of value: {error}") from error
