"""What an optimizer step makes small: pixel losses (later perceptual and adversarial ones), each a small module."""
