"""Command line: `python -m sr.pretrained [list | add | convert | push | pull ...]`."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from sr.pretrained.add import add
from sr.pretrained.card import Card
from sr.pretrained.catalogue import PREFIX, cards
from sr.pretrained.hub import pull, push
from sr.pretrained.spandrel_net import save_for_spandrel
from sr.pretrained.trained import trained
from sr.runs.arguments import CommandParser, finite_number, path
from sr.runs.failures import one_line_errors

STAGE_TITLES = {"float": "fp32", "simulated": "INT8", "htp_v73": "HTP v73"}


def parser() -> CommandParser:
    """Return the argument parser."""
    made = CommandParser(prog="python -m sr.pretrained", description="List the pretrained nets, or add one.")
    actions = made.add_subparsers(dest="action")
    actions.add_parser("list", help="list the pretrained nets with their scores (the default)")
    moved = actions.add_parser("upscale", help="replaced by python -m sr.upscale")
    moved.add_argument("arguments", nargs="...")
    new = actions.add_parser("add", help="add the net of a finished run")
    new.add_argument("run", type=path)
    new.add_argument("--name", required=True, help="preset of conf/model")
    other = actions.add_parser("convert", help="write the weights of a net as spandrel and chaiNNer read them")
    other.add_argument("net", help="folder of a finished run, or a pretrained net; a Compact or RRDBNet")
    other.add_argument("--scale", type=finite_number(above=0), default=2, help="of a pretrained net; default: 2")
    other.add_argument("--to", type=path, required=True, help=".safetensors or .pth file")
    sent = actions.add_parser("push", help="upload a pretrained net to the Hugging Face hub")
    sent.add_argument("net", help="name of a pretrained net")
    sent.add_argument("repo", help="<owner>/<name>")
    sent.add_argument("--scale", type=finite_number(above=0), default=2, help="default: 2")
    sent.add_argument("--private", action="store_true", help="a new repository is private")
    got = actions.add_parser("pull", help="download a net that was pushed, and add it to the pretrained nets")
    got.add_argument("repo", help="<owner>/<name>")
    got.add_argument("--name", help="name here; default: that of its card")
    got.add_argument("--revision", help="branch, tag or commit; default: the newest")
    return made


def score_table(found: Sequence[Card]) -> Table:
    """Return a table with the mean PSNR of each net, set and stage."""
    protocols = sorted({card.protocol for card in found})
    shown = Table(
        Column("net", no_wrap=True),
        "parameters",
        "set",
        *STAGE_TITLES.values(),
        title=f"PSNR in dB, protocol {', '.join(protocols)}",
        caption="\n".join(dict.fromkeys(f"Weights: {card.licence}" for card in found if card.licence)) or None,
    )
    for card in found:
        for name in card.quality.get("float", {}):
            scores = [card.quality.get(stage, {}).get(name, {}) for stage in STAGE_TITLES]
            psnr = [next((f"{v:.2f}" for key, v in score.items() if key.startswith("psnr")), "") for score in scores]
            test_set = name if len(protocols) == 1 else f"{name} ({card.protocol})"
            shown.add_row(f"{card.name} x{card.scale:g}", _parameters(card), test_set, *psnr)
    return shown


def _parameters(card: Card) -> str:
    """Return the number of trainable parameters, with the frozen ones behind it where there are any."""
    trainable, frozen = card.parameters["trainable"], card.parameters["frozen"]
    return f"{trainable:,} + {frozen:,} frozen" if frozen else f"{trainable:,}"


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status."""
    options = parser().parse_args(arguments)
    if options.action == "upscale":
        raise ValueError(f"type python -m sr.upscale {shlex.join(options.arguments)}".rstrip())
    if options.action == "add":
        print(add(options.run, options.name))
    elif options.action == "convert":
        source = options.net if Path(options.net).exists() else PREFIX + options.net.removeprefix(PREFIX)
        print(save_for_spandrel(trained(source, scale=options.scale), options.to))
    elif options.action == "push":
        print(push(options.net, options.repo, scale=options.scale, private=options.private))
    elif options.action == "pull":
        print(pull(options.repo, name=options.name, revision=options.revision))
    else:
        Console().print(score_table(cards()))
    return 0
