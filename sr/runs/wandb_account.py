"""The login at Weights & Biases, asked for before any work."""

from sr.runs.silence_logs import silence_prints


def refuse_without_login(*, otherwise: str) -> None:
    """Refuse where there is no login at W&B, or W&B does not accept it; W&B itself prints nothing.

    Args:
        otherwise: what to do without one, the end of the message.

    Raises:
        ValueError: no login, or one that cannot be checked.
    """
    import wandb

    try:
        with silence_prints():
            is_known = wandb.login(prompt=False)
    except wandb.Error as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"W&B cannot be asked for the account ({reason}); try again later, or {otherwise}") from error
    if not is_known:
        raise ValueError(f"no W&B login: run `wandb login`, or set WANDB_API_KEY; or {otherwise}")
