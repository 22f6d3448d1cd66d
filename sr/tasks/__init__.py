"""The LightningModules: what happens in one training step. They train; callbacks time; plain functions do the rest."""
