"""LightningModules: the training step of each kind of training (pixel loss, distillation, GAN, pruning)."""
