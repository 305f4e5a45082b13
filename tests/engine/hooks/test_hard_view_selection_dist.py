"""HardViewSelectionHook in two gloo processes."""

import os
import subprocess
import sys

#: Both processes run it. Rank 1 has a batch of one image in the second step and hence scores
#: nothing: if scoring communicated, rank 0 would wait for it for ever.
SCRIPT = """
import copy, sys
from types import SimpleNamespace

import torch
import torch.distributed as dist
from mmengine.logging import MessageHub
from mmengine.model import BaseDataPreprocessor, BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import nn

from bgaug_mm.engine.hooks import HardViewSelectionHook

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)


class Preprocessor(BaseDataPreprocessor):
    def forward(self, data, training=False):
        return {**data, 'inputs': [view.float() / 60 - 2 for view in data['inputs']]}


class Net(BaseModel):
    def __init__(self):
        super().__init__(data_preprocessor=Preprocessor())
        self.backbone = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.LayerNorm(16))
        self.neck = nn.Linear(16, 8)

    def forward(self, inputs, data_samples=None, mode='loss'):
        z1, z2 = (self.neck(self.backbone(view)) for view in inputs)
        return dict(loss=-torch.cosine_similarity(z1, z2).mean())


def chosen(hook, model, views):
    runner = SimpleNamespace(
        model=model, iter=0, seed=1, message_hub=MessageHub.get_instance('hub'),
        train_dataloader=type('Loader', (list,), dict(dataset=None))([0] * 4),
        optim_wrapper=OptimWrapper(torch.optim.SGD(model.parameters(), 0.1)))
    batch = dict(inputs=list(views), data_samples=None)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0, batch)
    return runner, batch


def hook():
    return HardViewSelectionHook(scorer='GenericScorer')


torch.manual_seed(0)
net = Net()
model = MMDistributedDataParallel(net, device_ids=None)
generator = torch.Generator().manual_seed(10 + rank)
for step in range(2):
    samples = 1 if (rank, step) == (1, 1) else 5
    views = [torch.randint(0, 256, (samples, 3, 8, 8), generator=generator).byte()
             for _ in range(4)]
    _, alone = chosen(hook(), copy.deepcopy(net), views)
    runner, batch = chosen(hook(), model, views)
    assert all(map(torch.equal, batch['inputs'], alone['inputs'])), 'as one process would choose'
    assert samples == 1 or not torch.equal(batch['inputs'][0], views[0])
    model.train_step(batch, runner.optim_wrapper)
    for parameter in net.parameters():
        both = [torch.empty_like(parameter) for _ in range(2)]
        dist.all_gather(both, parameter.detach())
        assert torch.equal(*both), 'the processes have the same weights'

# SyncBN: on the CPU it refuses to communicate, here it need not; in one process alone
net.backbone[2] = nn.SyncBatchNorm(16)
views = [torch.randint(0, 256, (5, 3, 8, 8), generator=generator).byte() for _ in range(4)]
if rank == 0:
    chosen(hook(), net, views)
    try:
        net.backbone(views[0].float())
    except ValueError:
        print('SyncBN communicates outside')
    plain = copy.deepcopy(net)
    plain.backbone[2] = nn.BatchNorm1d(16)
    assert all(map(torch.equal, chosen(hook(), net, views)[1]['inputs'],
                   chosen(hook(), plain, views)[1]['inputs']))
dist.barrier()
print('done')
"""


def test_two_processes(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(SCRIPT)
    environment = {**os.environ, 'CUDA_VISIBLE_DEVICES': ''}
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(tmp_path)], text=True, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for rank in range(2)
    ]  # fmt: skip
    try:
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
        assert 'done' in output
    assert 'SyncBN communicates outside' in outputs[0]
