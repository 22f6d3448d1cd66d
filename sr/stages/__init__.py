"""Stages: the work after training, as plain functions without a Trainer."""
