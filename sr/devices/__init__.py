"""One training on several devices: which process this is, how they start, what they exchange."""
