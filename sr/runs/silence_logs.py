"""Context managers that keep the output of other libraries off the screen; errors still come through."""

import ctypes
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

_AIMET_LOGGERS = ("Quant", "Utils", "ConnectedGraph", "BatchNormFolding", "CrossLayerEqualization", "SeqMse")
_LOGGERS = (*_AIMET_LOGGERS, "lightning.pytorch", "lightning.fabric", "onnx_ir", "onnxscript")
_MODULES = (r"aimet_torch", r"torch\.(jit|onnx)", r"onnxscript", r"lightning")  # their warnings are only advice


@contextmanager
def silence_logs() -> Iterator[None]:
    """Silence the loggers and warnings of AIMET, the ONNX exporters and Lightning within the block, no others."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    logging.root.addFilter(_is_wanted)  # AIMET logs a greeting on the root logger when it is imported
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for module in _MODULES:
                warnings.filterwarnings("ignore", module=module)
            yield
    finally:
        logging.root.removeFilter(_is_wanted)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def silence_prints() -> Iterator[None]:
    """Do what `silence_logs` does, and also discard progress bars and everything that Python code prints."""
    with silence_logs(), open(os.devnull, "w", encoding="utf-8") as null, redirect_stdout(null), redirect_stderr(null):
        yield


@contextmanager
def native_output_to(log: Path) -> Iterator[None]:
    """Append everything that native code prints within the block to a file.

    This redirects the file descriptors 1 and 2 themselves, because a native library does not print through Python.

    Args:
        log: The file; missing folders above it are made.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    try:
        with open(log, "ab") as file:
            for descriptor in kept:
                os.dup2(file.fileno(), descriptor)
        yield
    finally:
        _flush_native()
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)


def _is_wanted(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or "aimet" not in record.pathname


def _flush_native() -> None:
    """Flush the buffers of the C library while the descriptors are redirected."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("ucrtbase" if os.name == "nt" else None).fflush(None)
