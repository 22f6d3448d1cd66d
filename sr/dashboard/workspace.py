"""A workspace and a report on W&B for an experiment: table, scatter, parallel coordinates, pictures."""

from collections.abc import Sequence
from typing import Any

from sr.dashboard.rows import Slice, slices
from sr.report.record import Report
from sr.report.runs import Run
from sr.runs.wandb_account import refuse_without_login

SETTINGS = ("model.m", "model.f", "model.init", "model.activation", "quantization.name", "train.iterations")
"""What the parallel coordinates run over, before the scores: the choices of the papers' ablations."""


def publish(runs: Sequence[Run], *, entity: str | None, project: str) -> int:
    """Build both on W&B's server, for each experiment of the runs.

    Args:
        runs: finished runs say which test sets, chips and pictures there are.
        entity: W&B account or team; None takes the login's own.
        project: W&B project that the runs were logged to.

    Returns:
        The exit status.

    Raises:
        ValueError: no finished run, no package, or no login.
    """
    experiments = dict.fromkeys(run.experiment for run in runs if run.report)
    if not experiments:
        raise ValueError("no run is finished, so there is nothing to compare; `python -m sr.run` finishes one")
    _packages()
    login = _login()
    owner = entity or login
    for experiment in experiments:
        members = [run for run in runs if run.experiment == experiment]
        for built in (
            workspace(members, entity=owner, project=project),
            report(members, entity=owner, project=project),
        ):
            print(built.save().url)
    return 0


def workspace(runs: Sequence[Run], *, entity: str, project: str) -> Any:
    """Build the saved view of an experiment: a section for each question, its own runs, newest first."""
    ws, _ = _packages()
    experiment = runs[0].experiment
    sections = [ws.Section(name=name, panels=panels, is_open=True) for name, panels in panels_of(runs).items()]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=f"sr: {experiment}",
        sections=sections,
        settings=ws.WorkspaceSettings(smoothing_type="none", max_runs=100),
        runset_settings=ws.RunsetSettings(filters=[ws.Metric("Group") == experiment]),
    )


def report(runs: Sequence[Run], *, entity: str, project: str) -> Any:
    """Build the report of an experiment: the same panels below headings, with a table of its runs."""
    _, wr = _packages()
    experiment = runs[0].experiment
    blocks: list[Any] = [
        wr.TableOfContents(),
        wr.P("Numbers carry their protocol's name and stand beside others of the same protocol only. Times of chips "
             "are estimates of Qualcomm's compiler, never of phones."),
    ]  # fmt: skip
    for name, panels in panels_of(runs).items():
        runset = wr.Runset(entity=entity, project=project, name=experiment, filters=f"Group = '{experiment}'")
        blocks += [wr.H1(name), wr.PanelGrid(runsets=[runset], panels=panels)]
    return wr.Report(
        entity=entity,
        project=project,
        title=f"sr: {experiment}",
        description=f"Runs of outputs/{experiment}, made by `python -m sr.dashboard --wandb`",
        blocks=blocks,
        width="fluid",
    )


def panels_of(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Return the panels by heading; those without numbers are left out."""
    _, wr = _packages()
    reports = [run.report for run in runs if run.report]
    cases = slices(runs)
    named = {
        "Quality against latency": [_scatter(each, cost) for each in cases for cost in _costs(reports)],
        "FP32 and INT8": [_bars(each) for each in cases],
        "Settings": [_parallel(each, reports) for each in cases],
        "Training": [wr.LinePlot(title=name, y=[name]) for name in _curves(runs)],
        "Pictures": [
            wr.MediaBrowser(title="test images", media_keys=[f"test/{each.set}" for each in cases], num_columns=1),
            wr.MediaBrowser(title="validation", media_keys=["validation"], mode="gallery"),
        ],
        "Runs": [wr.RunComparer(diff_only=True), wr.WeavePanelSummaryTable(table_name="certificate")],
    }
    return {name: panels for name, panels in named.items() if panels}


def _costs(reports: Sequence[Report]) -> list[str]:
    """Return the names of the logged costs, as `sr.report.summary.flat` calls them: chips first."""
    from sr.report.summary import flat_numbers

    names = dict.fromkeys(name for each in reports for name in flat_numbers(each))
    wanted = ("report/estimate/", "report/cost/latency_", "report/cost/macs_g")
    return [name for start in wanted for name in names if name.startswith(start)]


def _score(each: Slice, stage: str) -> Any:
    """Return the summary of a stage's first metric in a slice."""
    _, wr = _packages()
    return wr.SummaryMetric(f"{stage}/{each.set}/{each.metrics[0].key}")


def _scatter(each: Slice, cost: str) -> Any:
    """Return a scatter plot of quality against a cost."""
    _, wr = _packages()
    stage = "simulated" if any(f"simulated_{each.metrics[0].key}" in row for row in each.rows) else "float"
    title = f"{each.set} x{each.scale:g}, {each.metrics[0].label} ({stage}) against {cost.removeprefix('report/')}"
    return wr.ScatterPlot(title=title, x=wr.SummaryMetric(cost), y=_score(each, stage), log_x=True)


def _bars(each: Slice) -> Any:
    """Return a bar plot of the stages' scores."""
    _, wr = _packages()
    found = [stage for stage in ("float", "simulated", "onnxruntime", "htp_v73") if _has(each, stage)]
    metrics = [f"{stage}/{each.set}/{each.metrics[0].key}" for stage in found]
    return wr.BarPlot(title=f"{each.set} x{each.scale:g}, {each.metrics[0].label}", metrics=metrics)


def _has(each: Slice, stage: str) -> bool:
    """Return whether any run of a slice scored a stage."""
    return any(f"{stage}_{each.metrics[0].key}" in row for row in each.rows)


def _parallel(each: Slice, reports: Sequence[Report]) -> Any:
    """Return parallel coordinates of the runs' settings and the scores of a slice."""
    _, wr = _packages()
    settings = [name for name in SETTINGS if any(_inside(report.config, name) is not None for report in reports)]
    columns = [wr.ParallelCoordinatesPlotColumn(metric=wr.Config(name)) for name in settings]
    scores = [wr.ParallelCoordinatesPlotColumn(metric=_score(each, s)) for s in ("float", "simulated") if _has(each, s)]
    return wr.ParallelCoordinatesPlot(title=f"{each.set} x{each.scale:g}", columns=[*columns, *scores])


def _inside(config: Any, name: str) -> Any:
    """Return a value by its dotted name; None if there is none."""
    for key in name.split("."):
        config = config.get(key) if isinstance(config, dict) else None
    return config


def _curves(runs: Sequence[Run]) -> list[str]:
    """Return the names of the logged curves: the loss, and the validation of each protocol's channel."""
    protocols = dict.fromkeys(run.report.protocol for run in runs if run.report)
    channels = dict.fromkeys("rgb" if protocol == "rgb" else "y" for protocol in protocols)
    return ["train/loss", *(f"val/psnr_{channel}_db" for channel in channels)]


def _packages() -> tuple[Any, Any]:
    """Import the two modules of wandb-workspaces.

    Raises:
        ValueError: the package is not installed.
    """
    try:
        import wandb_workspaces.reports.v2 as wr
        import wandb_workspaces.workspaces as ws
    except ImportError as error:
        raise ValueError(f"--wandb needs wandb-workspaces ({error}); pip install 'sr-mobile[wandb]'") from error
    return ws, wr


def _login() -> str:
    """Return the default account of this machine's login.

    Raises:
        ValueError: there is no login, or W&B cannot be asked.
    """
    import wandb

    refuse_without_login(otherwise="leave --wandb out: the page of these runs needs no account")
    try:
        return str(wandb.Api().default_entity)
    except wandb.Error as error:
        raise ValueError(f"W&B cannot be asked for the account ({error}); give --entity, or try again later") from error
