# BG_RM: the foreground over a plain fill.
# Source: Ryali et al. 2021 (arXiv 2103.12719), BG_RM; p 0.1 to 0.3 per view.
# Ours: fill (grey of random level, anew for each view), share limits, order.
background_op = dict(type='bgaug_mm.BackgroundRemove', prob=0.2, fill='random_grey')
