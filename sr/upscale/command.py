"""Command line of `python -m sr.upscale SOURCE TARGET`: a picture, a folder of pictures, or a video."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.data.image import ENDINGS as PICTURE_ENDINGS
from sr.runs.arguments import CommandParser, finite_number, path, whole_number
from sr.runs.failures import one_line_errors
from sr.runs.folders import expand_home
from sr.runs.screen_text import printable
from sr.upscale.one_picture import PictureSettings, upscale_picture
from sr.upscale.opened_net import NET_PRECISIONS, RUNTIMES, OpenedNet, open_net
from sr.upscale.picture_folder import upscale_folder
from sr.upscale.slider_page import SliderPage

VIDEO_ENDINGS = (
    ".mp4",
    ".mkv",
    ".mov",
    ".m4v",
    ".avi",
    ".ts",
    ".mts",
    ".m2ts",
    ".webm",
    ".mpg",
    ".mpeg",
    ".flv",
    ".3gp",
)
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
VIDEO_OPTIONS = ("start", "duration", "crf", "codec", "preset", "reference")


def parser() -> CommandParser:
    """Return the argument parser."""
    made = CommandParser(
        prog="python -m sr.upscale", description="Upscale a picture, a folder of pictures, or a video."
    )
    made.add_argument("source", type=path, help="picture, folder (read recursively) or video")
    made.add_argument("target", type=path, help="file or folder to write; its ending tells the format")
    made.add_argument(
        "--net",
        default="quicksrnet_small",
        help="pretrained name (python -m sr.pretrained lists them), run folder, or .safetensors, .onnx or .tflite file "
        "of this project; default: quicksrnet_small",
    )
    made.add_argument(
        "--scale", type=finite_number(above=0), help="upscaling factor; default: the net's own, 2 for a pretrained net"
    )
    made.add_argument(
        "--runtime", choices=RUNTIMES, default="auto", help="default: torch; for INT8 openvino if installed"
    )
    made.add_argument("--precision", choices=NET_PRECISIONS, help="int8 runs the exported file itself; default: fp32")
    made.add_argument("--device", default="auto", help="of torch: cpu, cuda, ...; default: a GPU if there is one")
    made.add_argument("--threads", type=whole_number(1, 1024), help="of OpenVINO and LiteRT; default: all cores")
    made.add_argument("--compare", type=path, metavar="PAGE.html", help="write a page with a slider: bicubic | net")
    pictures = made.add_argument_group("pictures")
    pictures.add_argument("--quality", type=whole_number(1, 100), help="of JPEG and WebP, 1 to 100; default: 95")
    pictures.add_argument(
        "--max-megapixels", type=finite_number(above=0), help="largest picture that is read; default: 179"
    )
    _add_video_options(made)
    return made


def _add_video_options(made: CommandParser) -> None:
    video = made.add_argument_group("video")
    video.add_argument("--start", type=finite_number(least=0), help="seconds to leave out at the beginning")
    video.add_argument("--duration", type=finite_number(above=0), help="seconds to upscale; default: to the end")
    video.add_argument("--crf", type=whole_number(0, 51), help="0 is lossless, 51 the worst; default: 18")
    video.add_argument("--codec", choices=("h264", "hevc"), help="default: that of the source, else h264")
    video.add_argument(
        "--preset",
        choices=PRESETS,
        metavar="NAME",
        help="ultrafast to veryslow; default: veryfast",
    )
    video.add_argument("--reference", type=path, help="true video: print PSNR, SSIM and flicker")


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Upscale what the command names; returns the exit status."""
    options = parser().parse_args(arguments)
    source, target = expand_home("SOURCE", options.source), expand_home("TARGET", options.target)
    is_video = source.suffix.lower() in VIDEO_ENDINGS and not source.is_dir()
    _check_options(options, source, is_video)
    net = open_net(
        options.net,
        scale=options.scale,
        runtime=options.runtime,
        precision=options.precision,
        device=options.device,
        num_threads=options.threads,
    )
    page = SliderPage(net.title, net.scale) if options.compare else None
    status = (_video if is_video else _pictures)(net, source, target, options, page)
    if page:
        page.write(options.compare)
    return status


def _check_options(options: argparse.Namespace, source: Path, is_video: bool) -> None:
    """Refuse a source of no kind, and options of the other kind."""
    if not source.exists():
        raise ValueError(f"no file or folder {source}")
    if is_video and options.quality:
        raise ValueError("--quality is for pictures; a video has --crf")
    used = [f"--{name}" for name in VIDEO_OPTIONS if getattr(options, name) is not None]
    if used and not is_video:
        raise ValueError(f"{', '.join(used)}: only for a video, and {source} is none by its ending")
    if not is_video and source.is_file() and source.suffix.lower() not in PICTURE_ENDINGS:
        raise ValueError(
            f"{source} is neither a picture ({', '.join(PICTURE_ENDINGS)}) nor a video ({', '.join(VIDEO_ENDINGS)}) by "
            "its ending"
        )


def _pictures(net: OpenedNet, source: Path, target: Path, options: argparse.Namespace, page: SliderPage | None) -> int:
    settings = PictureSettings(quality=options.quality, max_megapixels=options.max_megapixels)
    if not source.is_dir():
        height, width = upscale_picture(net, source, target, settings, watch=page.add if page else None)
        print(printable(f"{target}: {width}x{height} ({net.title})"))
        return 0
    result = upscale_folder(net, source, target, settings, watch=page.add if page else None)
    counts = f"{result.num_written} upscaled, {result.num_skipped} done before, {len(result.failed)} failed"
    print(printable(f"{target}: {counts} ({net.title})"))
    for line in result.failed:
        print(printable(f"failed: {line}"), file=sys.stderr)
    return 1 if result.failed else 0


def _video(net: OpenedNet, source: Path, target: Path, options: argparse.Namespace, page: SliderPage | None) -> int:
    from sr.upscale.video.target_video import VideoSettings
    from sr.upscale.video.video_job import upscale_video

    given = {name: getattr(options, name) for name in VIDEO_OPTIONS if getattr(options, name) is not None}
    reference = given.pop("reference", None)
    watch = page.add_frame if page else None
    result = upscale_video(net, source, target, VideoSettings(**given), reference=reference, watch=watch)
    print(printable("\n".join([f"{target}: {net.title}", *result.lines()])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
