"""The benchmarks' own sums on made-up measurements, and paribus's contender in earnest. No test asserts a duration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.floor.work import Floor, Product, fastest, floor, footprint, parameters, products
from benchmarks.machine import Busy
from benchmarks.peers.__main__ import logged
from benchmarks.peers.contenders import CONTENDERS, Cost, cost_of_paribus, cost_of_peer
from benchmarks.peers.report import Measured, report, rows, table
from benchmarks.peers.report import fastest as fastest_peers
from paribus.study.load import load_study

ROOT = Path(__file__).parents[2]


def test_a_report_names_the_machine_of_its_measurements(tmp_path: Path) -> None:
    here, results = machine.describe(), tmp_path / "results.json"
    other = here | {"cpu": "Some other processor"}
    assert machine.measured_on([{}], results)["cpu"] == here["cpu"], "neither says"
    assert machine.measured_on([{"machine": other}], results) == other
    results.write_text(json.dumps({"machine": other}), encoding="utf-8")
    assert machine.measured_on([{}], results) == other, "lines of before machines were written"
    assert machine.measured_on([{"machine": here}], results) == here
    with pytest.raises(SystemExit, match="Some other processor"):
        machine.measured_on([{}, {"machine": here}], results)


def test_a_peer_trains_its_two_seeds_one_after_the_other() -> None:
    """Ready after 5 s; a run: 20 s with compilation, 2 timed epochs of 3 and 5 s, 7 more at their mean, 1 s beside."""
    line = {"ready": 5.0, "epochs": [20.0, 3.0, 5.0], "beside": 1.0}
    assert cost_of_peer([line], wall=99.0) == Cost(4.0, 5.0 + 2 * (20 + 3 + 5 + 1 + 7 * 4))


def test_a_peer_trains_its_two_seeds_at_once() -> None:
    lines = [{"epochs": [9.0, 3.0, 5.0]}, {"epochs": [9.0, 5.0, 7.0]}]
    assert cost_of_peer(lines, wall=30.0) == Cost(2.5, 30.0 + 7 * 5.0)


def test_paribus_trains_its_two_seeds_at_once() -> None:
    """One starts later than the other; what counts is the time between ends of epochs."""
    line = {"epoch_ends": [[10.0, 12.0, 14.0], [11.0, 13.0, 15.0]]}
    assert cost_of_paribus(line, wall=20.0) == Cost(1.0, 20.0 + 7 * 2.0)


def made_up() -> list[Measured]:
    """paribus takes 1 s on `simple` and 2 s on `wide`, in a second round twice as much; so does everybody."""
    times = {
        "paribus": {"simple": 1.0, "wide": 2.0},
        "torch-loop": {"simple": 4.0, "wide": 6.0},
        "torch-loop-x2": {"simple": 2.0, "wide": 8.0},
        "keras-jax": {"simple": 3.5, "wide": 4.0},
        "sklearn": {"simple": 5.0},
    }
    return [
        Measured(number, name, arm, (number + 1) * seconds, 10 * seconds)
        for number in range(2)
        for name, by_arm in times.items()
        for arm, seconds in by_arm.items()
    ]


def test_every_peer_counts_with_its_best_setting_of_each_arm() -> None:
    found = {row.peer: row for row in rows(made_up(), "epoch")}
    torch = found["PyTorch loop"]
    assert torch.settings == {"simple": "torch-loop-x2", "wide": "torch-loop"}
    assert {arm: spread.median for arm, spread in torch.by_arm.items()} == {"simple": 2.0, "wide": 3.0}
    assert (torch.by_arm["wide"].low, torch.by_arm["wide"].high, torch.by_arm["wide"].n) == (3.0, 3.0, 2)
    assert torch.geometric == pytest.approx(6**0.5)
    assert found["paribus"].geometric == 1.0
    assert list(found) == ["paribus", "PyTorch loop", "Keras fit, jax", "scikit-learn MLPClassifier"]


def test_the_fastest_peer_of_each_arm_and_what_a_peer_cannot_express() -> None:
    found = rows(made_up(), "epoch")
    assert fastest_peers(found) == {"simple": ("PyTorch loop", 2.0), "wide": ("Keras fit, jax", 2.0)}
    text = table(found, ("simple", "wide"))
    assert "| scikit-learn MLPClassifier | 5.00 (5.00–5.00) | – | 5.00 (1 arms) |" in text
    assert text.splitlines()[-1] == "| the fastest peer of each arm | 2.00 | 2.00 | 2.00 |"


def test_a_round_that_paribus_has_not_yet_had_is_left_out() -> None:
    alone = [one for one in made_up() if not (one.contender == "paribus" and one.round == 1)]
    (row,) = (row for row in rows(alone, "epoch") if row.peer == "Keras fit, jax")
    assert row.by_arm["simple"].n == 1


def test_the_report_leaves_numbers_and_a_picture(tmp_path: Path) -> None:
    text = report(made_up(), tmp_path / "peers", tmp_path / "no-environment", machine.describe())
    assert "| PyTorch loop | 2.00 (2.00–2.00) | 3.00 (3.00–3.00) | 2.45 |" in text
    written = json.loads((tmp_path / "peers.json").read_text())
    assert {row["peer"] for row in written["whole"]} == {row.peer for row in rows(made_up(), "whole")}
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")
    assert "against the floor" not in text, "it was not measured"


def test_peers_in_one_process_are_a_table_of_their_own(tmp_path: Path) -> None:
    text = report(made_up(), tmp_path / "peers", tmp_path / "no-environment", machine.describe())
    assert "| PyTorch loop | 4.00 (4.00–4.00) | 3.00 (3.00–3.00) | 3.46 |" in text


def test_what_the_floor_leaves_room_for(tmp_path: Path) -> None:
    """The fastest peer takes twice as long as paribus, which takes twice (1.25 times) as long as the floor."""
    arms = [{"arm": "simple", "fraction": 0.5}, {"arm": "wide", "fraction": 0.8}]
    (tmp_path / "floor.json").write_text(json.dumps({"arms": arms}))
    text = report(made_up(), tmp_path / "peers", tmp_path / "no-environment", machine.describe())
    assert text.count("| the same against the floor | 4.00 | 2.50 | 3.16 |") == 1


def test_what_other_programs_take_of_the_machine() -> None:
    """In 10 s they took 4 s of processor time that was not ours; time that ours alone took is nobody else's."""
    cores = os.cpu_count() or 1
    assert Busy(109.0, 6.0).foreign_since(Busy(100.0, 1.0), 10.0) == pytest.approx(0.4 / cores)
    assert Busy(105.0, 6.5).foreign_since(Busy(100.0, 1.0), 10.0) == 0.0
    before = Busy.now()
    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    assert Busy.now().ours > before.ours, "a child that was waited for is ours"


def test_a_disturbed_measurement_does_not_count(tmp_path: Path) -> None:
    log = tmp_path / "peers.jsonl"
    log.write_text('{"foreign": 0.01}\n{"foreign": 0.4}\n{}\n')
    assert logged(log) == [{"foreign": 0.01}, {}]


def test_only_arms_that_scikit_learn_can_express_are_asked_of_it() -> None:
    """Those without dropout whose hidden layers share one activation."""
    fitting = set()
    for name, arm in load_study("mnist-mlps").arms.items():
        kinds = [(kind, said.get("activation")) for layer in arm.layers or () for kind, said in layer.items()]
        if {kind for kind, _ in kinds} == {"Dense"} and len({activation for _, activation in kinds[:-1]}) == 1:
            fitting.add(name)
    assert {arm for c in CONTENDERS if "sklearn" in c.script for arm in c.arms or ()} == fitting


def test_the_products_of_a_network_of_two_layers() -> None:
    found = products([784, 100, 10], batch=50)
    assert found == Counter(
        [
            Product("forward", 50, 784, 100),
            Product("weights", 50, 784, 100),
            Product("forward", 50, 100, 10),
            Product("weights", 50, 100, 10),
            Product("inputs", 50, 100, 10),
        ]
    )
    assert Product("forward", 50, 784, 100).operations == 2 * 50 * 784 * 100


def test_parameters_are_those_of_the_notebook_s_arms() -> None:
    assert parameters([784, 100, 10]) == 79_510
    assert parameters([784, 1000, 200, 200, 200, 100, 100, 100, 50, 10]) == 1_111_460
    assert footprint([784, 100, 10], "Adam") == 16 * 79_510
    assert footprint([784, 100, 10], "SGD") == 12 * 79_510


def test_the_floor_adds_products_and_traffic() -> None:
    """Two equal layers of 10 inputs and units, three steps: five products of 2 s, and 7 words a parameter."""
    widths = [10, 10, 10]
    seconds = dict.fromkeys(products(widths, 4), 2.0)
    least = floor(widths, "Adam", 4, 3, seconds, rate=100.0)
    assert least == Floor(products=3 * 5 * 2.0, optimizer=3 * 7 * 4 * 220 / 100.0)
    assert least.seconds == pytest.approx(30 + 184.8)


def test_the_fastest_library_of_each_shape_is_the_floor() -> None:
    one, other = Product("forward", 1, 2, 3), Product("inputs", 1, 2, 3)
    times = {"numpy": {one: 3.0, other: 1.0}, "torch": {one: 2.0, other: 2.0}}
    assert fastest(times) == {one: (2.0, "torch"), other: (1.0, "numpy")}
    assert fastest({"numpy": {replace(one, batch=7): 1.0}}) == {Product("forward", 7, 2, 3): (1.0, "numpy")}


def test_the_contender_of_paribus_runs(tmp_path: Path) -> None:
    script = ROOT / "benchmarks" / "peers" / "paribus_study.py"
    options = ["--study", "digits", "--arm", "small", "--seeds", "2", "--epochs", "2", "--store", str(tmp_path / "s")]
    line = [sys.executable, str(script), *options, "--started", str(time.time())]
    done = subprocess.run(line, env=dict(os.environ), capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert said["runs"] == 2
    assert [len(ends) for ends in said["epoch_ends"]] == [2, 2]
    assert 0 < said["test_accuracy"] <= 1
    assert cost_of_paribus(said, said["wall"]).epoch > 0
