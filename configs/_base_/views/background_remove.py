# BG_RM of Ryali et al. 2021: the foreground over a uniform grey of random level,
# drawn for each view on its own (the fill is our choice).
background_op = dict(type='bgaug_mm.BackgroundRemove', prob=0.2, fill='random_grey')
