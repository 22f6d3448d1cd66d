"""Keeps what AIMET, the exporters and an inner Trainer say at every use off the screen; errors still come through."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

AIMET_LOGGERS = (
    "Quant",
    "Utils",
    "ConnectedGraph",
    "BatchNormFolding",
    "CrossLayerEqualization",
    "SeqMse",
)  # its own names
LOGGERS = (*AIMET_LOGGERS, "lightning.pytorch", "lightning.fabric", "onnx_ir", "onnxscript")
MODULES = (r"aimet_torch", r"torch\.(jit|onnx)", r"onnxscript", r"lightning")  # whose warnings are advice


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the loggers and warnings of those libraries inside, and nobody else's."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.level for logger in loggers]
    logging.root.addFilter(_is_wanted)  # AIMET greets on the root logger when it is imported
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for module in MODULES:
                warnings.filterwarnings("ignore", module=module)
            yield
    finally:
        logging.root.removeFilter(_is_wanted)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def silent() -> Iterator[None]:
    """Also without progress bars and what is printed."""
    with (
        quiet(),
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        yield


def _is_wanted(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or "aimet" not in record.pathname
