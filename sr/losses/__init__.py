"""Losses: pixel, perceptual, adversarial, grid and distillation."""
