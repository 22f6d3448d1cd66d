"""Hydra's door to `sr.launch`: Hydra takes launchers from the package `hydra_plugins` only."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SweepLauncher(Launcher):
    """Start the jobs of a sweep as the group `launcher` says."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what `launch` needs."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; returns when all have ended."""
        from sr.launch.sweep import launch_jobs  # Hydra imports this module in every command

        return launch_jobs(self.config, self.hydra_context, self.task_function, job_overrides, initial_job_idx)
