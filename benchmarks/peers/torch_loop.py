"""A plain PyTorch loop, as fast as one is written: data preloaded, fused optimizer, denormals flushed.

Variants: `compile` puts the forward and backward passes through torch.compile.
"""

from __future__ import annotations

import time

import torch
from contender import EVALUATION_BATCH, Task, Trained, TrainingOptions, contend
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def network(task: Task) -> nn.Sequential:
    """The arm's layers; the softmax is part of the loss."""
    width, modules = task.x_train.shape[1], []
    for layer in task.layers:
        ((kind, arguments),) = layer.items()
        if kind == "Dropout":
            modules.append(nn.Dropout(arguments["rate"]))
            continue
        linear = nn.Linear(width, arguments["units"])
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        width = arguments["units"]
        modules.append(linear)
        if arguments["activation"] != "softmax":
            modules.append(ACTIVATIONS[arguments["activation"]]())
    return nn.Sequential(*modules)


def optimizer(task: Task, model: nn.Module) -> tuple[torch.optim.Optimizer, float]:
    """The optimizer, fused, and the decay of its learning rate a step."""
    ((name, arguments),) = task.optimizer.items()
    if name == "Adam":
        return torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True), 0.0
    schedule = arguments["learning_rate"]["InverseTimeDecay"]
    rate, momentum = schedule["initial_learning_rate"], arguments["momentum"]
    sgd = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, fused=True)
    return sgd, schedule["decay_rate"]


def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    with torch.inference_mode():
        batches = zip(x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True)
        return sum(int((model(a).argmax(1) == b).sum()) for a, b in batches) / len(x)


def train(task: Task, options: TrainingOptions) -> Trained:
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    started = time.perf_counter()
    x, y = torch.from_numpy(task.x_train), torch.from_numpy(task.y_train).long()
    plain = network(task)
    model = torch.compile(plain) if options.variant == "compile" else plain
    steps, decay = optimizer(task, plain)
    (group,) = steps.param_groups
    rate, count, loss_of = group["lr"], 0, nn.CrossEntropyLoss()
    epochs, right = [], torch.zeros((), dtype=torch.long)
    beside = time.perf_counter() - started
    for _ in range(options.epochs):
        begun = time.perf_counter()
        plain.train()
        right.zero_()
        for rows in torch.randperm(len(x)).split(task.batch_size):
            steps.zero_grad(set_to_none=True)
            labels = y[rows]
            answers = model(x[rows])
            loss_of(answers, labels).backward()
            if decay:
                group["lr"] = rate / (1 + decay * count)
            steps.step()
            count += 1
            right += (answers.detach().argmax(1) == labels).sum()
        epochs.append(time.perf_counter() - begun)
    trained = time.perf_counter()
    plain.eval()
    test = accuracy(plain, torch.from_numpy(task.x_test), torch.from_numpy(task.y_test))
    in_training = accuracy(plain, x, y)
    beside += time.perf_counter() - trained
    return Trained(epochs, beside, int(right) / len(x), in_training, test)


if __name__ == "__main__":
    contend(train)
