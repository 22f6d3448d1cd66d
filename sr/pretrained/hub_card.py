"""Model card (README.md) of a pretrained net for the Hugging Face hub."""

from sr.pretrained.card import Card
from sr.pretrained.licence import licence_of

_TITLES = {
    "bicubic": "bicubic", "float": "float", "simulated": "8-bit simulation", "onnxruntime": "exported file",
    "htp_v69": "Hexagon v69, emulated", "htp_v73": "Hexagon v73, emulated",
}  # fmt: skip
_FRONT = """---
library_name: sr-mobile
pipeline_tag: image-to-image
tags: [super-resolution, quantization, hexagon]
license: other
license_name: see-training-data
---
"""


def model_card(card: Card) -> str:
    """Return the model card in Markdown: scores, protocol, data, licence, certificate and commands.

    Args:
        card: Facts of the net.
    """
    sets = list(dict.fromkeys(name for scores in card.quality.values() for name in scores))
    rows = [f"| | {' | '.join(sets)} |", f"|---|{'---|' * len(sets)}"]
    for stage, scores in card.quality.items():
        values = [_scores(scores.get(name, {})) for name in sets]
        rows.append(f"| {_TITLES.get(stage, stage)} | {' | '.join(values)} |")
    sources = card.data.get("train_sources") or ["unknown"]
    files = [f"| `{name}` | {facts['kib']} KiB | `{facts['sha256']}` |" for name, facts in card.files.items()]
    parts = [
        f"{_FRONT}# {card.name} x{card.scale:g}",
        "Super-resolution for mobile NPUs, made by sr-mobile.",
        f"## Scores\n\nPSNR in dB / SSIM, protocol `{card.protocol}`.\n\n" + "\n".join(rows),
        f"## Data\n\nTrained on {', '.join(map(str, sources))} ({card.data.get('num_images', 'unknown')} images). "
        "The test sets were not trained on.",
        "## Licence\n\nThe code is under the BSD 3-clause license. The weights may be used as the training images "
        f"above allow: {card.licence or licence_of(map(str, sources))}.",
        f"## Certificate\n\nScheme: {card.quantization or 'float only'}. The rows of the table above are the forms of "
        "the net that were compared: where they agree, the file does what was trained. Hashes of the files:\n\n"
        "| file | size | SHA-256 |\n|---|---|---|\n" + "\n".join(files),
        "## Use\n\n```\npip install 'sr-mobile[hub]'\nsr pretrained pull <this repository>\n"
        f"sr upscale photo.jpg large.png --net {card.name} --scale {card.scale:g}\n```",
        "## Reproduce\n\n```\n" + "\n".join(card.commands) + f"\n```\n\nCommit {card.commit or 'unknown'}.",
    ]
    return "\n\n".join(parts) + "\n"


def _scores(score: dict[str, float]) -> str:
    psnr, ssim = (next((v for key, v in score.items() if key.startswith(kind)), None) for kind in ("psnr", "ssim"))
    return f"{psnr:.2f} / {ssim:.4f}" if psnr is not None and ssim is not None else ""
