"""Iterative magnitude pruning with rewinding: train, mask the smallest weights, rewind to an early state, repeat."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sr.devices.collectives import process_rank
from sr.evaluation import evaluate, upscaler
from sr.models.blocks import inference_form
from sr.models.net import Net
from sr.models.weights import save_weights
from sr.pruning.masks import (
    SCOPES,
    all_kept,
    apply_masks,
    check_sparsity,
    kernels,
    masked_share,
    pruned,
    round_schedule,
    share_after,
)
from sr.runs.identity import has_config, kept_config
from sr.tasks.regression import Regression

OPTIMIZER_STATES = ("rewound", "reset")
ROUNDS = "rounds/round_{:02d}.safetensors"


class Pruning(Regression):
    """Train a dense round and `rounds` pruning rounds of equal length in one run; resume is exact at any iteration.

    At the end of a round, the smallest remaining weights are masked permanently. The next round starts from the weights
    and the schedule of iteration k, with the masks applied. The final net is the sparsest; the nets of all rounds are
    saved in the run folder (`ROUNDS`).

    Args:
        rounds: Pruning rounds after the dense round, at least 1.
        fraction: Fraction of the remaining weights that each round removes, in (0, 1).
        rewind: Iteration k as a fraction of a round, in [0, 1].
        iterations: Iterations of the whole run, which has (rounds + 1 + rewind) times the length of a round.
        scope: "global" compares the weights of all layers, "layer" removes the fraction in each layer.
        optimizer_state: "rewound" to iteration k as well, or "reset".
        net: The net in its training form.
        fp32_from: First iteration in fp32. Its share of `iterations` applies to each round.
        regression: The other arguments of `Regression`.

    Raises:
        ValueError: If a setting is outside its range, a round has no iteration or there is nothing to prune; while
            training, if a layer would lose its last weight.

    Source: Frankle et al. (arXiv 1912.05671), in the form of algorithm 2 of the SESR re-implementation.
    """

    def __init__(
        self,
        *,
        rounds: int,
        fraction: float,
        rewind: float,
        iterations: int,
        scope: str,
        optimizer_state: str,
        net: Net,
        fp32_from: int,
        **regression: Any,
    ) -> None:
        if rounds < 1 or not 0 < fraction < 1:
            raise ValueError(
                f"task=pruning needs rounds of at least 1 and a fraction in (0, 1), got {rounds}, {fraction}"
            )
        if not 0 <= rewind <= 1:
            raise ValueError(f"task.rewind must be a fraction of a round in [0, 1], got {rewind}; 0.1 is epoch 5 of 50")
        for key, got, known in (("scope", scope, SCOPES), ("optimizer_state", optimizer_state, OPTIMIZER_STATES)):
            if got not in known:
                raise ValueError(f"task.{key} must be {' or '.join(known)}, got {got!r}")
        if regression.get("keep") == "best":
            raise ValueError("task=pruning keeps the weights that each round ends with; give train.keep=last")
        super().__init__(net=net, fp32_from=fp32_from, **regression)
        self.rewind_at, self.ends = round_schedule(iterations, rounds, rewind)
        self.fraction, self.scope, self.optimizer_state = fraction, scope, optimizer_state
        self._fp32_share = fp32_from / iterations
        self.masks = all_kept(net)
        check_sparsity(self.masks, share_after(rounds, fraction), scope)
        self.records = list[dict[str, Any]]()  # of the finished rounds
        self._curve = list[list[float]]()  # [iteration of the round, PSNR] of this round's validations
        self._early: dict[str, Any] = {}  # state of iteration k
        self._mask()

    @property
    def begun(self) -> int:
        """Iteration at which the current round would have started without rewinding."""
        return self.ends[len(self.records) - 1] - self.rewind_at if self.records else 0

    def facts(self) -> dict[str, Any]:
        """Return the rounds for the report."""
        return {"rounds": self.records}

    def age(self) -> int:
        """Return the number of iterations that the weights have been trained, including those before iteration k."""
        return self.global_step - self.begun

    def in_fp32(self) -> bool:
        """Return whether the current round has reached its fp32 part."""
        return self.age() >= self._fp32_share * self.ends[0]

    def on_fit_start(self) -> None:
        """Check that the device supports the precision, and move the masks to the device."""
        super().on_fit_start()
        self.masks = {name: mask.to(self.device) for name, mask in self.masks.items()}

    def _step(self, lr: Tensor, hr: Tensor) -> Tensor:
        if self.global_step == self.rewind_at and not self._early:
            self._early = copy.deepcopy(self._state())
        loss = super()._step(lr, hr)
        self._mask(plain_only=True)
        if self.global_step == self.ends[len(self.records)]:
            self._end_round()
        return loss

    def _state(self) -> dict[str, Any]:
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        scheduler: Any = self.lr_schedulers()
        return {"net": self.net.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}

    def _end_round(self) -> None:
        """Score the round; then prune and rewind, unless it was the last round."""
        trainer: Any = self.trainer  # Lightning's types lack `datamodule`
        images = trainer.datamodule.val_dataloader()
        score = evaluate(upscaler(inference_form(self.trained_net())), images, self.protocol, self.scale)
        self.records.append(
            {
                "round": len(self.records),
                "sparsity": round(masked_share(self.masks), 6),
                f"psnr_{self.protocol.channel}_db": score.psnr_db,
                "iterations": self.global_step,
                "curve": self._curve,
            }
        )
        self._curve = []
        self._keep_net()
        if len(self.records) < len(self.ends):
            share = share_after(len(self.records), self.fraction)
            self.masks = pruned(kernels(self.trained_net(), self.masks), self.masks, share, self.scope)
            self._rewind()

    def _keep_net(self) -> None:
        """Save the net of the round like that of a finished run, for `init=<this file>`."""
        if process_rank():
            return
        folder, record = Path(self.trainer.default_root_dir), self.records[-1]
        config = {"config": kept_config(folder)} if has_config(folder) else {}
        facts = {key: record[key] for key in ("round", "sparsity", "iterations")}
        save_weights(self.deployable(), folder / ROUNDS.format(record["round"]), config | facts)

    def _rewind(self) -> None:
        early, optimizer, scheduler = copy.deepcopy(self._early), *self._movers()
        self.net.load_state_dict(early["net"])
        optimizer.load_state_dict(early["optimizer"])
        scheduler.load_state_dict(early["scheduler"])
        if self.optimizer_state == "reset":
            optimizer.state.clear()
        self._mask()
        if self.average:
            self.average.net.load_state_dict(self.net.state_dict())

    def _movers(self) -> tuple[Any, Any]:
        return self.optimizers(use_pl_optimizer=False), self.lr_schedulers()

    def _mask(self, *, plain_only: bool = False) -> None:
        """Apply the masks to the net and its weight average."""
        plain = {
            name: mask
            for name, mask in self.masks.items()
            if not plain_only or isinstance(self.net.get_submodule(name), nn.Conv2d | nn.ConvTranspose2d)
        }
        for net in (self.net, *([self.average.net] if self.average else [])):
            apply_masks(net, plain)

    def on_validation_epoch_end(self) -> None:
        """Log the means and append the PSNR to the curve of the round."""
        super().on_validation_epoch_end()
        self._curve.append([self.age(), self.quality.compute()[f"psnr_{self.protocol.channel}_db"]])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the random state, the masks, the finished rounds and the state of iteration k."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["pruning"] = {
            "masks": self.masks, "records": self.records, "curve": self._curve, "early": self._early,
        }  # fmt: skip

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore what `on_save_checkpoint` saved."""
        super().on_load_checkpoint(checkpoint)
        kept = checkpoint["pruning"]
        self.masks = {name: mask.to(self.device) for name, mask in kept["masks"].items()}
        self.records, self._curve, self._early = kept["records"], kept["curve"], kept["early"]
        with torch.no_grad():
            self._mask()
