"""Command line: `python -m sr.pretrained [list | upscale in.png out.png | add <run> --name <preset>]`."""

import sys
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sr.cost.receptive_field import receptive_field
from sr.data.image import color_profile, image_size, read_image
from sr.data.image_writer import WITHOUT_PROFILE, check_target, write_strips
from sr.evaluation import upscaler
from sr.evaluation.tiles import upscale_strips
from sr.pretrained.add import add
from sr.pretrained.card import Card
from sr.pretrained.catalogue import cards, load
from sr.runs.arguments import CommandParser, finite_number, path
from sr.runs.failures import one_line_errors
from sr.runs.files import write_atomically

STAGE_TITLES = {"float": "fp32", "simulated": "INT8", "htp_v73": "HTP v73"}


def parser() -> CommandParser:
    """Return the argument parser."""
    made = CommandParser(prog="python -m sr.pretrained", description="List the pretrained nets, or add one.")
    actions = made.add_subparsers(dest="action")
    actions.add_parser("list", help="list the pretrained nets with their scores (the default)")
    enlarge = actions.add_parser("upscale", help="enlarge a picture")
    enlarge.add_argument("source", type=path)
    enlarge.add_argument("target", type=path)
    enlarge.add_argument("--net", default="quicksrnet_small", help="default: quicksrnet_small")
    enlarge.add_argument("--scale", type=finite_number(above=0), default=2.0, help="default: 2")
    enlarge.add_argument(
        "--max-megapixels", type=finite_number(above=0), help="largest picture that is read; default: 179"
    )
    new = actions.add_parser("add", help="add the net of a finished run")
    new.add_argument("run", type=path)
    new.add_argument("--name", required=True, help="preset of conf/model")
    return made


def score_table(found: Sequence[Card]) -> Table:
    """Return a table with the mean PSNR of each net, set and stage."""
    shown = Table("net", "scale", "set", "protocol", *STAGE_TITLES.values(), title="PSNR in dB")
    for card in found:
        for name in card.quality.get("float", {}):
            scores = [card.quality.get(stage, {}).get(name, {}) for stage in STAGE_TITLES]
            psnr = [next((f"{v:.2f}" for key, v in score.items() if key.startswith("psnr")), "") for score in scores]
            shown.add_row(card.name, f"x{card.scale:g}", name, card.protocol, *psnr)
    return shown


def upscale(source: Path, target: Path, name: str, scale: float, limit: float | None = None) -> tuple[int, int]:
    """Enlarge a picture with a shipped net and write it, at once; returns its new height and width.

    The picture's RGB values are taken as they are, and its colour profile is handed on; where the format holds none,
    a line on stderr says so.

    Raises:
        ValueError: no such net, not a picture, a format that cannot be written, or a target that is the source.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"{target} is the picture itself; give the large one another name")
    net = load(name, scale=scale)
    size = ceil(image_size(source, limit)[0] * scale), ceil(image_size(source, limit)[1] * scale)
    kind = check_target(target, *size)
    profile, space = color_profile(source, limit)
    if space and (profile is None or kind in WITHOUT_PROFILE):
        why = f"{kind} holds none" if profile else f"it is one of {space} values, and the picture is RGB"
        print(f"{target}: without the colour profile of {source.name}: {why}", file=sys.stderr)
    lr = read_image(source, limit)
    strips = upscale_strips(upscaler(net), lr, field=receptive_field(net))
    write_atomically(target, lambda partial: write_strips(partial, kind, size, strips, profile))
    return size


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status."""
    options = parser().parse_args(arguments)
    if options.action == "upscale":
        height, width = upscale(options.source, options.target, options.net, options.scale, options.max_megapixels)
        print(f"{options.target}: {width}x{height}")
    elif options.action == "add":
        print(add(options.run, options.name))
    else:
        Console().print(score_table(cards()))
    return 0
