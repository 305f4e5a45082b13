# ReLICv2-style removal: rare, before cropping, on the large crops.
# Source: Tomasev et al. 2022 (arXiv 2201.05119), saliency masking; p 0.1, large crops.
# Ours: fill (grey of random level), share limits.
background_op = dict(type='bgaug_mm.BackgroundRemove', prob=0.1, fill='random_grey')
