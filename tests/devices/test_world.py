"""Where a process stands, as the variables of torchrun and of a step of srun say it."""

from sr.devices.world import LAUNCHED, World, address, current_world, launched

TORCHRUN = {
    "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "a",
    "MASTER_PORT": "29500",
}  # fmt: skip
SRUN = {
    "SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "1", "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "gpu[3-4]", "SLURM_JOB_ID": "1200", "SLURM_STEP_ID": "0",
}  # fmt: skip


def test_torchrun_and_srun_say_the_same():
    wanted = World(rank=5, size=8, local_rank=1, local_size=4)
    assert current_world(TORCHRUN) == current_world(SRUN) == wanted


def test_a_batch_script_of_several_tasks_is_one_process():
    assert current_world({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_LOCALID": "0"}) == World()
    assert current_world({"RANK": "0"}) == World()


def test_where_they_meet():
    assert address(TORCHRUN) == ("a", 29500, True)
    assert address(TORCHRUN | {"TORCHELASTIC_USE_AGENT_STORE": "True"}) == ("a", 29500, False)
    assert address(SRUN) == ("gpu3", 21200, True)


def test_who_reports_an_end(monkeypatch):
    assert not launched()
    monkeypatch.setenv(LAUNCHED, "1")
    assert launched()
