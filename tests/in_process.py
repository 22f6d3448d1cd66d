"""A run of a composed config in this process, as the command line completes it."""

import io
from contextlib import redirect_stdout
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from sr.job import complete


def complete_here(composed: DictConfig, folder: Path) -> str:
    """Complete the run of a config that was composed with Hydra's own part; returns what it printed."""
    with open_dict(composed):
        composed.hydra.runtime.output_dir = str(folder)
        HydraConfig.instance().set_config(composed)
        del composed["hydra"]
    with redirect_stdout(io.StringIO()) as printed:
        complete(composed, folder)
    return printed.getvalue()
