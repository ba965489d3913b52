"""All proofs. A new one is a module beside this and a line here."""

from __future__ import annotations

from proof import bare, flips, keras_classes, merge_kills, ray_cluster, simulations, whole_tests, zoo_bits
from proof.records import Proof

PROOFS: tuple[Proof, ...] = (
    bare.PROOF,
    flips.PROOF,
    keras_classes.PROOF,
    merge_kills.PROOF,
    ray_cluster.PROOF,
    simulations.PROOF,
    whole_tests.PROOF,
    zoo_bits.PROOF,
)
