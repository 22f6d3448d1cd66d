"""Result of a benchmark: tables for the screen, figures for a file, and a description of the machine."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sr.report.provenance import git_state, versions
from sr.report.table import Table
from sr.runs.cores import num_cores
from sr.runs.folders import ROOT


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Result of one benchmark.

    Attributes:
        setting: Net, precision, sizes and counts of the measurement.
        figures: The numbers in plain containers, with units in their names.
        tables: The same numbers as tables.
    """

    setting: dict[str, Any]
    figures: dict[str, Any]
    tables: list[Table]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a JSON file: setting, figures, machine, versions and commit."""
        return {
            "setting": self.setting,
            "figures": self.figures,
            "machine": machine(),
            "versions": versions(),
            "git": git_state(ROOT),
        }


def machine() -> dict[str, Any]:
    """Return processor, cores, threads, GPU and load average of this machine."""
    return {
        "processor": processor(),
        "num_cores": num_cores(),
        "num_threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load_average_1_min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor.

    Args:
        cpuinfo: The file in which Linux describes it.
    """
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def format_machine() -> str:
    """Format the description of the machine in one line."""
    now = machine()
    parts = [now["processor"], f"{now['num_cores']} cores", f"{now['num_threads']} threads", now["gpu"]]
    if now["load_average_1_min"] is not None:
        parts.append(f"load average {now['load_average_1_min']}")
    return ", ".join(part for part in parts if part)
