# The hardest pair with one view of each of the algorithm's two view recipes.
# Ours: one candidate of each recipe, so that every step has both.
_base_ = 'pairs.py'
hard_views = dict(per_global_recipe=True)
