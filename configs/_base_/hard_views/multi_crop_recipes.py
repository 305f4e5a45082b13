# multi_crop.py for 2 + 8 views of which the global ones have a recipe each.
# Ours: one global candidate of each recipe, so that every step has both.
_base_ = 'multi_crop.py'
hard_views = dict(num_views_out=10, per_global_recipe=True)
