"""Kinds of the settings of a training: data, net, loss, optimizer, schedule, task; `*` stands for one name."""

from sr.config.kinds import (
    Anything,
    AutoOr,
    Choice,
    Flag,
    Follows,
    Kind,
    Label,
    Many,
    Named,
    Number,
    Optional,
    Size,
    Text,
    Weights,
    Whole,
)
from sr.config.ranges import (
    ACCELERATOR,
    AUTO_OR_NEVER,
    FRACTION,
    LOSS_WEIGHT,
    POSITIVE_FRACTION,
    PRECISION_WORD,
    PROTOCOL_WORD,
    RATE_RANGE,
    SCALE_FACTOR,
    SEED_RANGE,
    THREADS,
)

SOURCE_LIST = Many(
    Named(
        fields=(
            ("path", Text()),
            ("shrink", Number(least=1, most=64)),
            ("files", Optional(Many(Text()))),
            ("lr", Optional(Text())),
            ("share", POSITIVE_FRACTION),
            ("weight", Number(above=0, most=1e6)),
            ("frames", Optional(Whole())),
        )
    )
)
ARCHIVES = Many(
    Named(fields=(("url", Text()), ("folder", Text()), ("num_bytes", Whole(1, 1 << 50)), ("sha256", Text())))
)

TOP: dict[str, Kind] = {
    "experiment": Label(),
    "scale": SCALE_FACTOR,
    "seed": SEED_RANGE,
    "protocol": PROTOCOL_WORD,
    "measures": Many(Choice("niqe", "rmse", "border_ratio", "lpips", "dists", "pi")),
    "size": Size(),
    "reuse": Choice("always", "never"),
    "redo": Many(Text()),
    "ckpt": Choice("last", "none", advice="; other weights to start from are init="),
    "init": Optional(Weights()),
    "init_leave": Many(Text()),
    "pixel": Many(Text()),
    "blend": Optional(Weights()),
    "alpha": FRACTION,
}
TRAIN: dict[str, Kind] = {
    "iterations": Whole(0),
    "budget": Number(above=0, most=1000),
    "precision": PRECISION_WORD,
    "fp32_tail": FRACTION,
    "epoch_images": Whole(),
    "ema_decay": Number(least=0, below=1),
    "chunk": Whole(1, 100_000),
    "validate_every": Whole(),
    "checkpoint_every": Whole(),
    "keep": Choice("last", "best"),
    "protocol": PROTOCOL_WORD,
}
MACHINE: dict[str, Kind] = {
    "threads": Optional(THREADS),
    "accelerator": ACCELERATOR,
    "devices": AutoOr(Whole(1, 4096)),
    "cuda_graphs": AUTO_OR_NEVER,
    "gpu_cache": AUTO_OR_NEVER,
    "max_megapixels": Optional(Number(above=0, most=1e6)),
}
DATA: dict[str, Kind] = {
    "root": Optional(Text()),
    "test_root": Optional(Text()),
    "cache": Text(),
    "archives": ARCHIVES,
    "sources": SOURCE_LIST,
    "heldout_sources": SOURCE_LIST,
    "heldout_every": Optional(Whole(2)),
    "share": POSITIVE_FRACTION,
    "shrink": Number(least=1, most=64),
    "small_images": Choice("refuse", "skip"),
    "test": Many(Text()),
    "test_frames": Whole(2),
    "scale": Follows("scale"),
    "seed": Follows("seed"),
    "batch_size": Whole(1, 1 << 16),
    "lr_patch": Whole(1, 8192),
    "sampling": Choice("uniform", "area", "detail"),
    "augment": Flag(),
    "chunk": Follows("train.chunk"),
    "val_images": Optional(Whole()),
    "val_crop": Optional(Whole(32, 1 << 16)),  # SSIM needs a window of 11 pixels inside the border
    "gpu_cache": Follows("machine.gpu_cache"),
    "max_megapixels": Follows("machine.max_megapixels"),
}
QUALITY_RANGE = Many(Whole(1, 100), length=2)
NOISE_RANGE = Many(Number(least=0, most=50), length=2)
ORDER_OF_STEPS = Named(Many(Number(least=0, most=100), length=2))
DEGRADATION: dict[str, Kind] = {
    "chain": Many(Text()),
    "variants": Whole(1, 1000),
    "steps.render.kernel": Choice("cubic", "nearest"),
    "steps.camera.blur": Many(Number(least=0, most=1.5), length=2),
    "steps.camera.read_noise": NOISE_RANGE,
    "steps.camera.shot_noise": NOISE_RANGE,
    "steps.camera.quality": QUALITY_RANGE,
    "steps.jpeg.quality": QUALITY_RANGE,
    "steps.codec.codecs": Many(Choice("h264", "hevc")),
    "steps.codec.qp": Many(Whole(0, 51), length=2),
    "steps.codec.frames": Whole(1, 32),
    "steps.codec.intra_share": FRACTION,
    "steps.codec.motion": Whole(0, 64),
    "steps.real_esrgan.first": ORDER_OF_STEPS,
    "steps.real_esrgan.second": ORDER_OF_STEPS,
}
MODEL: dict[str, Kind] = {
    "scale": Follows("scale"),
    **dict.fromkeys(("f", "d", "s", "growth", "low_f"), Whole(1, 1 << 14)),
    **dict.fromkeys(("activation", "attention", "color", "forward_form", "identity_x1_5", "init"), Text()),
    **dict.fromkeys(("normalization", "overparameterize", "residual", "upscaling"), Text()),
    **dict.fromkeys(("anchor", "block_residual", "denoise", "expand_bias", "head_activation"), Flag()),
    **dict.fromkeys(("image_space_conv", "standardized"), Flag()),
    "m": Whole(0, 4096),
    "expansion": Number(above=0, most=1 << 14),
    "input_shift": Number(least=-1, most=1),
    "residual_scale": Number(least=-100, most=100),
    "sharpness": Number(least=0, most=100),
}
LOSS: dict[str, Kind] = {"epsilon": Number(above=0, most=1)}
OPTIMIZER: dict[str, Kind] = {
    "lr": Number(above=0, most=10),
    "betas": Many(Number(least=0, below=1), length=2),
    "eps": Number(above=0, most=1),
    "weight_decay": RATE_RANGE,
    "amsgrad": Flag(),
    "fused": Flag(),
    "shampoo_beta": Number(least=0, below=1),
    "precondition_frequency": Whole(),
    "max_axis": Whole(),
}
SCHEDULER: dict[str, Kind] = {  # what a schedule cannot compute with is tried: sr.optimizers.schedule
    **dict.fromkeys(("T_max", "step_size", "total_steps", "total_iters"), Whole(0)),
    "eta_min": RATE_RANGE,
    "factor": FRACTION,
    "gamma": Number(above=0, most=100),
    "milestones": Many(Whole(0)),
    "max_lr": Number(above=0, most=10),
    "pct_start": FRACTION,
    "div_factor": Number(above=0, most=1e9),
    "final_div_factor": Number(above=0, most=1e9),
    "cycle_momentum": Flag(),
}
TASK: dict[str, Kind] = {
    "precision": Follows("train.precision"),
    "fp32_from": Follows("train.fp32_tail"),
    "ema_decay": Follows("train.ema_decay"),
    "keep": Follows("train.keep"),
    "protocol": Follows("train.protocol"),
    "cuda_graphs": AUTO_OR_NEVER,
    "teacher.source": Optional(Weights()),
    "teacher.scale": Follows("scale"),
    "share": FRACTION,
    "layers": Many(Many(Text(), length=2)),
    **dict.fromkeys(("feature_weight", "content_weight", "perceptual_weight", "adversarial_weight"), LOSS_WEIGHT),
    **dict.fromkeys(("grid_weight", "low_weight"), LOSS_WEIGHT),
    "perceptual_shifts": Whole(1, 1024),
    "batch_size": Follows("data.batch_size"),
    "hr_patch": Follows("data.lr_patch"),
    "discriminator_updates": Number(above=0, most=1000),
    "discriminator.f": Whole(1, 1 << 14),
    "discriminator.hr_patch": Follows("data.lr_patch"),
    "discriminator.num_halvings": Whole(0, 16),
    "discriminator.normalization": Choice("none", "spectral"),
    "perceptual.network": Text(),
    "perceptual.weights": Optional(Text()),
    "perceptual.layers": Named(LOSS_WEIGHT),
    "perceptual.criterion": Choice("l1", "l2"),
    "iterations": Follows("train.iterations"),
    "rounds": Whole(1, 1000),
    "fraction": Number(above=0, below=1),
    "rewind": FRACTION,
    "scope": Choice("global", "layer"),
    "optimizer_state": Choice("rewound", "reset"),
}
TRAINER: dict[str, Kind] = {
    "accelerator": Follows("machine.accelerator"),
    "devices": Anything(),  # `check_devices` of sr.building refuses more than one: machine.devices
    "max_steps": Follows("train.iterations"),
    "max_epochs": Choice(-1),
    "val_check_interval": Follows("train.validate_every"),
    "check_val_every_n_epoch": Optional(Whole()),
    "num_sanity_val_steps": Whole(0),
    "log_every_n_steps": Whole(),
    **dict.fromkeys(("enable_checkpointing", "enable_progress_bar", "enable_model_summary"), Flag()),
    "benchmark": Flag(),
    "deterministic": Anything(),  # true, false or "warn"
}
LOGGER: dict[str, Kind] = {
    **dict.fromkeys(("save_dir", "name", "project", "mode"), Text()),
    **dict.fromkeys(("group", "id", "sub_dir"), Optional(Label())),
    "version": Optional(Label()),
    "prefix": Text(empty=True),
    "resume": Anything(),
    "flush_logs_every_n_steps": Whole(),
    "log_graph": Flag(),
    "default_hp_metric": Flag(),
}
