"""What an optimizer step makes small: pixel, perceptual and adversarial losses, each tested by itself."""
