"""ImageNet's robustness sets."""
