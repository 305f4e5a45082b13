# The hardest pair of the candidate views.
# Source: Ferreira et al. 2025 (ICLR), hard view pretraining, 4 candidates.
# Ours: exact choice among all pairs; batch norms of the scoring pass leave no trace.
hard_views = dict(type='bgaug_mm.HardViewSelectionHook')
