"""Weights of the validation with the highest PSNR, as an alternative to those of the last iteration."""

from typing import Any

from torch import Tensor, nn

KEPT_WORDS = ("last", "best")


class BestWeights:
    """Keep a copy of the weights whose validation has the highest PSNR. Of equal ones, the later are kept.

    Source: ABPN course project, section 4: after each epoch the net is saved if its PSNR is the highest so far.

    Example:
        >>> best, net = BestWeights(), nn.Linear(1, 1)
        >>> [best.update(net, psnr_db, iteration) for iteration, psnr_db in ((10, 30.0), (20, 31.0), (30, 30.5))]
        [True, True, False]
        >>> best.psnr_db, best.iteration
        (31.0, 20)
    """

    def __init__(self) -> None:
        self.psnr_db, self.iteration = float("-inf"), 0
        self._weights: dict[str, Tensor] = {}

    def update(self, net: nn.Module, psnr_db: float, iteration: int) -> bool:
        """Copy the weights of a net if its PSNR is at least the highest so far.

        Args:
            net: The net that was validated.
            psnr_db: Its mean PSNR in dB; NaN never counts.
            iteration: Iterations that it has been trained.

        Returns:
            Whether the weights were copied.
        """
        if not psnr_db >= self.psnr_db:
            return False
        self.psnr_db, self.iteration = psnr_db, iteration
        self._weights = {name: value.detach().cpu().clone() for name, value in net.state_dict().items()}
        return True

    def load_into(self, net: nn.Module) -> None:
        """Give a net the kept weights; without a validation so far, leave it as it is."""
        if self._weights:
            net.load_state_dict(self._weights)

    def state(self) -> dict[str, Any]:
        """Return score, iteration and weights for a checkpoint."""
        return {"psnr_db": self.psnr_db, "iteration": self.iteration, "weights": self._weights}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.psnr_db, self.iteration, self._weights = state["psnr_db"], state["iteration"], state["weights"]
