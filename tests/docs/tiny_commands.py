"""A command of a page with settings so small that it ends in seconds."""

import re
from pathlib import Path

from sr.runs.files import read_json

TINY = [
    "data.batch_size=2", "data.lr_patch=16", "data.val_images=1", "data.val_crop=64", "data.small_images=skip",
    "train.chunk=2", "train.validate_every=4", "train.checkpoint_every=4", "train.precision=fp32",
    "callbacks.sensitivity=null", "callbacks.cost.num_repeats=1",
]  # fmt: skip
QUANTIZATION = [
    "quantization.calibration_batches=1", "quantization.calibration_batch_size=2",
    "quantization.stages.qat.iterations=2", "quantization.stages.qat.checkpoint_every=2",
    "quantization.stages.adaround.iterations=2", "quantization.stages.bias_tuning.iterations=2",
    "quantization.stages.bias_tuning.checkpoint_every=2",
]  # fmt: skip
SMALLER = {
    "sweeps=quicksrnet_table2": ["model=quicksrnet_small", "scale=2,3", "quantization=fp32", "export=hexagon"],
    "sweeps=quicksrnet_table4": ["model=quicksrnet_small", "quantization=w8a8_qat,w8a8_gptq"],
    "sweeps=quicksrnet_table5": ["model=fsr1,quicksrnet_small"],
    "sweeps=quicksrnet_figure7": ["model=quicksrnet_small", "model.init=identity"],
    "sweeps=quicksrnet_depth": ["model.m=0,1"],
    "sweeps=tune": ["model=espcn_rgb", "optimizer.lr=1e-3,2.5e-3"],
    "sweeps=nets_equal_budget": ["model=bicubic,espcn"],
    "sweeps=recipe_tricks": ["seed=0"],
    "sweeps=network_interpolation": ["alpha=0,0.5"],
    "sweeps=depth_pruning": ["filters.remove_layers=1,2"],
    "sweeps=filter_pruning": ["filters.importance=fisher", "filters.keep=0.5"],
    "sweeps=distillation_quicksrnet": ["seed=0", "quantization=fp32"],
    "sweeps=distillation_sesr": ["seed=0"],
    "sweeps=pruning_sesr": ["seed=0", "task.rounds=2", "train.iterations=24"],
    "model=rrdbnet": ["model=rrdbnet_tiny"],
    "model=srresnet": ["model=srresnet_tiny"],
    "machine.devices=4": ["machine.devices=2"],
    "model=quicksrnet_large": ["model.m=2"],
    "task=gan": ["task/perceptual=squeezenet", "task.perceptual.weights=squeezenet.pt"],
    "recipe=esrgan": ["task/perceptual=squeezenet", "task.perceptual.weights=squeezenet.pt"],
    "recipe=srgan": [
        "task/perceptual=squeezenet",
        "task.perceptual.weights=squeezenet.pt",
        "~task.perceptual.layers.relu5_4",
        "~task.perceptual.layers.conv5_4",
    ],
    "recipe=gan_mobile": ["task.perceptual.weights=squeezenet.pt"],
    "task=pruning": ["task.rounds=2", "train.iterations=24"],
    "filters=fisher": ["filters.num_batches=1"],
    "filters=depth": ["filters.num_batches=1"],
}
"""Setting of a page -> what makes it small."""
BENCH = {
    "train": ["--iterations", "2", "--blocks", "1", *TINY[:4], "data=folder", "data.root=photos"],
    "batches": ["--models", "srresnet_tiny", "--batch-sizes", "1", "--lr-side", "8", "--runs", "1"],
    "htp": ["size=32x48"],
    "compiler": ["size=32x48"],
    "degraded": ["--blocks", "1", "--iterations", "2", *TINY, "data=folder", "data.root=photos"],
    "pictures": ["--pictures", "4", "--blocks", "1", "--picture-size", "48x32"],
    "video": ["--frames", "4", "--rounds", "1", "--frame-size", "64x48"],
    "scale": ["--iterations", "2", "--blocks", "1", *TINY, "data=folder", "data.root=photos"],
}
ENDLESS = ("--serve", "--watch")
"""Options of commands that run until Ctrl-C."""


def placed(word: str, folder: Path, file: str, net: tuple[int, int]) -> str:
    """Replace `/my/` by the scratch folder's, and `outputs/x/<run>` by the newest run there that fits.

    Args:
        word: A word of a command.
        folder: The scratch folder.
        file: File that the run has.
        net: Scale and m of the QuickSRNet that `init=` and `blend=` name.
    """
    word = word.replace("/my/", f"{folder}/my/").replace("root=/my", f"root={folder}/my")
    if "<run>" not in word:
        return word
    before, _, after = word.partition("<run>")
    files = [*(folder / before.rpartition("=")[2]).glob(f"*/{file}")]
    if word.startswith(("init=", "blend=")):
        files = [each for each in files if is_trained(each, net)]
    return f"{before}{max(files, key=lambda each: each.stat().st_mtime).parts[len(folder.parts) + 2]}{after}"


def is_trained(report: Path, net: tuple[int, int]) -> bool:
    """Return whether a run trained a whole QuickSRNet of 32 channels with a scale and an m."""
    config = read_json(report)["config"]
    model = config["model"]
    found = config["scale"], model.get("m")
    return (
        model.get("f") == 32
        and model["_target_"].endswith(".QuickSRNet")
        and found == net
        and not config.get("filters")
    )


def tiny(program: str, arguments: list[str], folder: Path) -> list[str]:
    """Return the command as it is run."""
    file = "export/certificate.json" if "--certificates" in arguments else "report.json"
    scale = 4 if {"scale=4", "sweeps=network_interpolation"} & {*arguments} else 2
    net = scale, 5 if {"model=quicksrnet_medium", "sweeps=filter_pruning"} & {*arguments} else 2
    made = [placed(word, folder, file, net) for word in arguments]
    if program == "run":
        return tiny_run(made)
    if program == "bench":
        made = [re.sub(r"(=[\w.]+,[\w.]+),.*|(=\d+)\.\.\d+", r"\1\2", word) for word in made]  # at most two nets
        made += SMALLER["task=gan"] if "task=gan" in made else []
        return ["sr", "bench", *made, *BENCH[made[0]]] if "--certificates" not in made else ["sr", "bench", *made]
    if program == "report" and "--panel" in made and "outputs/mine" in made:  # where other pages have runs, too
        made = [placed(f"{word}/<run>", folder, file, net) if word == "outputs/mine" else word for word in made]
    if "--figures" in made:  # hundreds of files for many runs
        made = [word.replace("outputs/main", "outputs/release") for word in made]
    more = {
        "export": ["--size", "32x48"],
        "doctor": ["--skip-slow", "--root", "photos"],  # no known set: those of the scratch folder are not real
        "results": ["--kept", "kept", "--page", "results.md"],
    }.get(program, [])
    return ["sr", program, *made, *more, *(["--port", "0"] if "--serve" in made else [])]


def tiny_run(made: list[str]) -> list[str]:
    """Return a command of `sr run` with small settings, which follow its own and so win."""
    made, more = with_smaller_nets(made, [*TINY, *([] if "train.iterations=0" in made else ["train.iterations=4"])])
    made, more = with_small_images(made, more)
    if "sweeps=pretrained_schemes" in made:  # it has no cost
        more.remove(TINY[-1])
    text = " ".join(made + more)
    if "export" not in text and "size=1080p" not in text:
        more.append("export=none")
    if "sweeps=" not in text and "quantization" not in text and "export=none" in more:
        more.append("quantization=fp32")  # of what the page says nothing
    elif "sweeps=" not in text and "quantization=fp32" not in text:
        more += QUANTIZATION
    flags = [word for word in made if word in ("-m", "--multirun", "--cfg", "job")]
    settings = [word for word in made if word not in flags and not word.startswith(("size=", "train.budget="))]
    return ["sr", "run", *flags, *settings, "size=32x48", *more]


def with_smaller_nets(made: list[str], more: list[str]) -> tuple[list[str], list[str]]:
    """Replace what `SMALLER` has; returns the settings of the page and those that are added."""
    for setting, smaller in SMALLER.items():
        if any(word.startswith(setting) if setting.endswith("=") else word == setting for word in made):
            names = {each.split("=")[0] for each in smaller}
            made = [word for word in made if word.split("=")[0] not in names]
            more = more + smaller
    return made, more


def with_small_images(made: list[str], more: list[str]) -> tuple[list[str], list[str]]:
    """Put the scratch folder in the place of downloads and of the photographs of the package."""
    text = " ".join(made)
    made = [word for word in made if word not in ("data=div2k", "data=df2k_ost")]
    given = {word.split("=")[0].lstrip("+") for word in made}
    if "experiment=panel" in made:  # a later command draws a photograph of the package
        return made, [*more, "data.test=[]"]
    if "data" not in given and "sweeps=quicksrnet_table5" not in made:
        more = [*more, "data=folder", "data.root=photos"]
    if "data.heldout_every" not in given and "data=gaming" not in made and "data=mix" not in made:
        more = [*more, "data.heldout_every=3"]
    if "data.test" not in given:
        more = [*more, "data.test=[]"]
    if "degradation" in text or "recipe=stream" in text or "recipe=camera" in text:
        more = [*more, "data.degradation.variants=1"]
    return made, more
