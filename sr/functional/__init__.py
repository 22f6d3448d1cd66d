"""Pure functions on tensors and images: colour, resizing, quality, channel orders."""
