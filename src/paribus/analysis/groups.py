"""Examples that belong together, such as several questions about one text: they count as a sample of groups.

Errors of the mean are then clustered by group (Miller 2024, arXiv 2411.00640): the delete-one-group jackknife, also
called CR3 (MacKinnon, Nielsen and Webb 2023), with G - 1 degrees of freedom. Where sizes differ, G is the effective
number of groups, N**2 / sum of sizes**2 (Kish 1965), as a few large groups are a small sample
(``docs/decisions/0097-groups-of-examples.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.errors import UsageError

FEWEST_GROUPS = 10
"""With fewer groups no interval was seen to hold what it promises."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which group each example belongs to.

    Attributes:
        codes: for each example the index of its group, shape ``(examples,)``.
        sizes: the number of examples of each group, shape ``(groups,)``.
    """

    codes: NDArray[np.intp]
    sizes: NDArray[np.float64]

    @property
    def count(self) -> int:
        """The number of groups, G."""
        return len(self.sizes)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the variance between groups: G - 1 for groups of equal size, at least 1."""
        return max(float(self.sizes.sum() ** 2 / (self.sizes @ self.sizes)) - 1, 1.0)

    @property
    def typical_size(self) -> float:
        """The mean size of the group of an example, which large groups weigh more in than small ones."""
        return float(self.sizes @ self.sizes / self.sizes.sum())

    def sums(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over each group of rows of shape ``(..., examples)``: shape ``(..., groups)``."""
        flat = rows.reshape(-1, rows.shape[-1])
        sums = [np.bincount(self.codes, weights=row, minlength=self.count) for row in flat]
        return np.asarray(sums, np.float64).reshape(*rows.shape[:-1], self.count)

    def variance(self, sums: NDArray[np.float64]) -> float:
        """The jackknife variance of a mean over all examples.

        Args:
            sums: for each group the sum of its examples' deviations from the mean, shape ``(..., groups)``; rows are
                added up.
        """
        left_out = sums / (self.sizes.sum() - self.sizes)
        return (self.count - 1) / self.count * float(np.vdot(left_out, left_out))


def make_groups(names: ArrayLike, examples: int) -> Groups:
    """The groups of a test set.

    Args:
        names: the group of each example, whatever names it: shape ``(examples,)``.
        examples: the number of examples.

    Raises:
        UsageError: not one group for each example, or fewer than 10 groups.
    """
    array = np.asarray(names)
    if array.shape != (examples,):
        raise UsageError(f"groups have shape {array.shape}; one group for each of {examples} examples is needed")
    distinct, codes, sizes = np.unique(array, return_inverse=True, return_counts=True)
    if len(distinct) < FEWEST_GROUPS:
        raise UsageError(
            f"{len(distinct)} groups: claims about new data need at least {FEWEST_GROUPS}, as so few do not show how "
            'much groups differ. Collect more groups, or judge with scope "this test set"'
        )
    return Groups(codes.reshape(-1), sizes.astype(np.float64))
