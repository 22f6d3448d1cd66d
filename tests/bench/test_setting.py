"""A composed config with a run folder that is gone afterwards."""

from hydra.core.hydra_config import HydraConfig

from sr.bench.setting import composed, format_setting


def test_a_temporary_run_folder_leaves_nothing(small: list[str]) -> None:
    before = HydraConfig.instance().cfg
    with composed([*small, "logger=csv"]) as (config, folder):
        assert config.logger.save_dir == str(folder)
    assert not folder.exists()
    assert HydraConfig.instance().cfg is before


def test_a_setting_in_words() -> None:
    assert format_setting({"net": "XLSR", "precision": "bf16"}) == "net XLSR, precision bf16"
