"""The login at Weights & Biases."""

import pytest

from sr.runs.wandb_account import refuse_without_login


@pytest.mark.parametrize(
    ("key", "message"), [("", "no W&B login: run `wandb login`"), ("short", "W&B cannot be asked")]
)
def test_without_a_login_one_line_says_what_to_do(key, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("WANDB_API_KEY", key) if key else monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(ValueError, match=message) as caught:
        refuse_without_login(otherwise="work offline")
    assert str(caught.value).endswith("or work offline") and "\n" not in str(caught.value)
    assert capsys.readouterr() == ("", "")
