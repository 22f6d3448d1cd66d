"""Launchers: start the jobs of a sweep on this machine, by Ray or by SLURM, each as a process of its own.

`sweep` prepares the jobs and tells how they ended; `joblib_jobs`, `ray_jobs` and `slurm_jobs` say who starts them;
`job_process` is the process of one job. The packages of the extra `cluster` are imported where they are used.
"""
