"""Probes of frozen features: k-NN, linear, the background gap, gamma and patches."""
