"""Writes ``pytorch-predictions.csv``: what a plain PyTorch loop answered, for ``judge``. It needs torch and scikit-learn.

``python examples/pytorch_loop.py`` trains a network for digits with and without dropout, from five seeds each.
"""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from sklearn.datasets import load_digits

ARMS = {"dropout": 0.4, "none": 0.0}
SEEDS, EPOCHS, BATCH, TRAIN = 5, 15, 50, 1200


def answers(rate: float, seed: int) -> tuple[list[int], list[int]]:
    """Train one network; the labels of the test examples, and its answers."""
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    torch.manual_seed(seed)
    hidden = torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Dropout(rate)
    model = torch.nn.Sequential(*hidden, torch.nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(EPOCHS):
        for batch in torch.randperm(TRAIN).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        predicted = model(x[TRAIN:]).argmax(dim=1)
    return y[TRAIN:].tolist(), predicted.tolist()


def main() -> None:
    """Train every arm with every seed, and write a row for each answer."""
    path = Path(__file__).with_name("pytorch-predictions.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["arm", "seed", "example", "label", "prediction"])
        for arm, rate in ARMS.items():
            for seed in range(SEEDS):
                labels, predicted = answers(rate, seed)
                for example, pair in enumerate(zip(labels, predicted, strict=True)):
                    writer.writerow([arm, seed, example, *pair])


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
