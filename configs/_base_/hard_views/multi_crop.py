# The hardest two global views and the locals that are hardest with them.
# Source: Ferreira et al. 2025 (ICLR), hard view pretraining, twice the views.
# Ours: exact choice instead of random combinations.
hard_views = dict(type='bgaug_mm.HardViewSelectionHook', num_views_out=8)
