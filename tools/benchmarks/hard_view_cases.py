"""What bench_hard_views measures: models, candidate views, naive selection, gains, theory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub, MMLogger
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from sklearn.datasets import load_sample_images
from torch import Tensor

from bgaug_mm.engine.hard_views.candidates import prepare
from bgaug_mm.engine.hard_views.crop_selection import crop_loss, select_crops
from bgaug_mm.engine.hard_views.scorers import DINOScorer
from bgaug_mm.engine.hard_views.scoring import scoring
from bgaug_mm.engine.launch_config import load_config
from bgaug_mm.registry import MODELS

#: Cost of a 96² view of ViT-S/16 in units of a 224² one, by tokens and their attention.
LOCAL = 0.19
GLOBALS, LOCALS, LOCALS_OUT = 4, 16, 8


def crops(
    sizes: Mapping[int, tuple[int, float, float]], batch: int, device: torch.device
) -> list[Tensor]:
    """Random crops of two photographs, flipped and of other brightness and contrast.

    Args:
        sizes: Side -> (number of views, smallest and largest share of the photograph).
        batch: Images.
        device: Where the views lie.

    Returns:
        list[Tensor]: (B, 3, side, side) uint8 each.
    """
    generator = torch.Generator().manual_seed(0)
    photos = [torch.tensor(p).permute(2, 0, 1).float() for p in load_sample_images().images]
    views = []
    for side, (count, low, high) in sizes.items():
        for _ in range(count):
            view = torch.empty(batch, 3, side, side)
            for number in range(batch):
                # each image is a part of a photograph of its own, as large as an ImageNet one
                at = torch.rand(2, generator=torch.Generator().manual_seed(number))
                photo = photos[number % len(photos)]
                y, x = (int(a * (s - 320)) for a, s in zip(at, photo.shape[1:], strict=True))
                share, dy, dx, flip, light, contrast = torch.rand(6, generator=generator).tolist()
                cut = int(320 * (low + (high - low) * share) ** 0.5)
                y, x = y + int(dy * (320 - cut)), x + int(dx * (320 - cut))
                crop = photo[None, :, y : y + cut, x : x + cut]
                crop = F.interpolate(crop, (side, side), mode='bilinear', align_corners=False)[0]
                crop = (crop - 128) * (0.6 + 0.8 * contrast) + 128 + 100 * (light - 0.5)
                view[number] = crop.flip(2) if flip < 0.5 else crop
            views.append(view.clamp(0, 255).to(torch.uint8).to(device))
    return views


def build(config: str, overrides: Mapping[str, Any], *, device: torch.device, amp: bool) -> Any:
    """A recipe's model and optimizer as a runner has them, with what the hook reads of one."""
    MMLogger.get_instance('bench_hard_views', log_level='ERROR')  # no line a frozen parameter
    cfg = load_config(config)
    cfg.merge_from_dict({'model': deepcopy(dict(overrides))})  # mmengine takes `_delete_` out
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    torch.manual_seed(0)
    model = revert_sync_batchnorm(MODELS.build(cfg.model)).to(device).train()
    optim = dict(cfg.optim_wrapper, type='AmpOptimWrapper' if amp else 'OptimWrapper')
    optim.pop('loss_scale', None)
    optim.update(dict(dtype='bfloat16') if amp else {})
    hub = MessageHub.get_instance('bench_hard_views')
    hub.get_current_instance().update_info('iter', 1)  # so that a teacher moves
    hub.get_current_instance().update_info('max_iters', 1000)
    return SimpleNamespace(
        model=model,
        optim_wrapper=build_optim_wrapper(model, optim),
        train_dataloader=SimpleNamespace(dataset=None),
        message_hub=hub,
        iter=0,
        seed=0,
    )


def step(runner: Any, views: Sequence[Tensor]) -> None:
    """A training step on these views."""
    runner.model.train_step(dict(inputs=list(views), data_samples=None), runner.optim_wrapper)


def naive_pair(runner: Any, views: list[Tensor]) -> list[Tensor]:
    """A pair by forwards in training mode, then views copied pair by pair."""
    model = runner.model
    with torch.no_grad(), runner.optim_wrapper.optim_context(model):
        images = prepare(model, views, None)
        projected = [model.neck(model.backbone(image))[0] for image in images]
        predicted = [model.head.predictor([z])[0] for z in projected]
    worst = torch.full((len(views[0]),), float('inf'), device=views[0].device)
    chosen = [views[0], views[1]]
    for i in range(len(views)):
        for j in range(i + 1, len(views)):
            cosine = F.cosine_similarity(predicted[i].float(), projected[j].float())
            cosine = 0.5 * (
                cosine + F.cosine_similarity(predicted[j].float(), projected[i].float())
            )
            worse = cosine < worst
            worst = torch.where(worse, cosine, worst)
            at = worse[:, None, None, None]
            chosen = [torch.where(at, views[v], old) for v, old in zip((i, j), chosen, strict=True)]
    return chosen


def naive_crops(runner: Any, views: list[Tensor], draws: Tensor) -> list[Tensor]:
    """The worst of random combinations, each with its own cross-entropies and copies."""
    model = runner.model
    with torch.no_grad(), runner.optim_wrapper.optim_context(model):
        images = prepare(model, views, None)
        student = [
            *model.student(torch.cat(images[:GLOBALS])).chunk(GLOBALS),
            *model.student(torch.cat(images[GLOBALS:])).chunk(LOCALS),
        ]
        loss = model.dino_loss
        teacher = loss.teacher_probs(model.teacher(torch.cat(images[:GLOBALS]))).chunk(GLOBALS)
        worst = torch.full((len(views[0]),), -float('inf'), device=views[0].device)
        chosen: list[Tensor] = []
        for draw in draws.tolist():
            terms = [
                loss.cross_entropy(teacher[t], student[s]) for t in draw[:2] for s in draw if s != t
            ]
            total = torch.stack(terms).mean(0)
            worse = total > worst
            worst = torch.where(worse, total, worst)
            at = worse[:, None, None, None]
            picked = [views[v] for v in draw]
            chosen = [
                torch.where(at, new, old) for new, old in zip(picked, chosen or picked, strict=True)
            ]
    return chosen


def random_choices(count: int, generator: torch.Generator) -> Tensor:
    """(count, 2 + 8) combinations, one global crop of each recipe."""
    blank = torch.zeros(count, GLOBALS, GLOBALS + LOCALS)
    return select_crops(
        blank, LOCALS_OUT, objective='random', recipes=[0, 0, 1, 1], generator=generator
    )


def loss_matrix(runner: Any, views: list[Tensor]) -> Tensor:
    """DINO's cross-entropies of these candidates, on the CPU."""
    with scoring(runner.model), runner.optim_wrapper.optim_context(runner.model):
        return DINOScorer().crop_losses(runner.model, prepare(runner.model, views, None)).cpu()


def gains(matrix: Tensor, repeats: int = 50) -> dict[str, float]:
    """Shares of the loss that the exact choice adds to that of random crops."""
    generator = torch.Generator().manual_seed(0)
    draws = random_choices(128 * repeats, generator)
    losses = torch.stack([crop_loss(matrix, draw.expand(len(matrix), -1)) for draw in draws])
    losses = losses.view(repeats, 128, -1)
    base = losses.mean((0, 1))
    exact = crop_loss(matrix, select_crops(matrix, LOCALS_OUT, recipes=[0, 0, 1, 1]))

    def share(best: Tensor) -> float:
        return float((best - base).mean() / (exact - base).mean())

    return dict(
        gain_exact=share(exact),
        gain_random64=share(losses[:, :64].amax(1).mean(0)),
        gain_random128=share(losses.amax(1).mean(0)),
    )


def theory_two_view(num_views: int, *, scale: float = 1.0, every: int = 1) -> float:
    """Step time over the plain one: 2 views cost 6 forwards, scoring one a view."""
    return 1 + num_views * scale**2 / 6 / every


def theory_dino(*, scale: float = 1.0, reuse: bool = False) -> float:
    """The same for DINO, 4 + 16 candidates, 2 + 8 crops: the teacher without a backward."""
    plain = 3 * (2 + LOCALS_OUT * LOCAL) + 2
    scoring = 2 * GLOBALS + LOCALS * LOCAL
    return 1 + (scoring * scale**2 - (2 if reuse else 0)) / plain
