"""All proofs. A new one is a module beside this and a line here."""

from __future__ import annotations

from proof import bare, keras_classes
from proof.records import Proof

PROOFS: tuple[Proof, ...] = (bare.PROOF, keras_classes.PROOF)
