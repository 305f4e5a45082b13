# The network that is kept: trained on the mean of all cues' refined maps.
_base_ = 'learn_cue.py'

custom_hooks = []
