"""The runs of experiments as a page to look at, figures for papers, and a W&B workspace; run folders are only read."""
