"""The small suite: everything a world can tell about one frozen backbone.

Each part runs on its own: one that cannot is named with its reason, and the others go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ..measures import world_measures
from ..networks.features import FrozenBackbone
from ..probes.background_gap import OPTIONAL_SETS, TEST_SETS
from .options import SuiteOptions
from .run_result import RunResult
from .world_probes import WorldProbes

#: The optional parts of the suite.
PARTS = SuiteOptions.parts


def evaluate_world(
    backbone: FrozenBackbone,
    data: str | os.PathLike[str],
    *,
    label: str = 'model',
    checkpoint: str = '',
    options: SuiteOptions | None = None,
    progress: Callable[[str], None] = lambda part: None,
) -> RunResult:
    """Run the small suite.

    Args:
        backbone: With its normalisation.
        data: A world; what it lacks is skipped.
        label, checkpoint: For the result.
        options: Settings. Defaults to the defaults.
        progress: Called with each part's name as it begins.

    Returns:
        RunResult: With `skipped` naming all that did not run; without features of ``train``
        that is everything.

    Raises:
        ValueError: For a part that there is not.
    """
    options = options or SuiteOptions()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        raise ValueError(f'`parts` must be of {PARTS}, but got {unknown[0]!r}')
    run = RunResult(label=label, checkpoint=checkpoint, data=str(data))
    world = WorldProbes(Path(data), backbone, options, run)
    progress('probes')
    with run.part('train'):
        world.fit()
    if run.classifier is None:
        return run
    for name in (*TEST_SETS, *OPTIONAL_SETS):
        if name in OPTIONAL_SETS and name not in options.parts:
            continue
        if name in OPTIONAL_SETS and not (world.root / name).is_dir():
            run.skipped[name] = f'{world.root} has no set folder {name}'
            continue
        with run.part(name):
            world.answer(name)
    run.measures.update(world_measures(run.predictions))
    with run.part('fgpref'):
        run.measures['fgpref'] = world.preference()
    more = {'structure': world.structure, 'attacks': world.attacks, 'heat': world.heat}
    for name in options.parts:
        if name in more:
            progress(name)
            with run.part(name):
                more[name]()
    return run
