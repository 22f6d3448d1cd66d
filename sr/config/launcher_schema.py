"""Kinds of the settings of `launcher`: how the jobs of a sweep are started."""

from sr.config.kinds import Anything, Choice, Kind, Many, Named, Number, Optional, Text, Whole
from sr.config.ranges import THREADS

LAUNCHER: dict[str, Kind] = {
    "kind": Choice("basic", "joblib", "ray", "slurm"),
    "jobs": Optional(Whole(1, 4096)),
    "cpus": THREADS,
    "gpus": Optional(Number(least=0, most=64)),
    "retries": Whole(0, 1000),
    "address": Optional(Text()),
    "partition": Optional(Text()),
    "timeout_min": Whole(1, 1_000_000),
    "array_parallelism": Whole(1, 100_000),
    "mem_gb": Optional(Number(above=0, most=100_000)),
    "setup": Many(Text()),
    "options": Named(Anything()),
}
