"""FGSM, PGD and input gradients, on the image or a part of it."""
