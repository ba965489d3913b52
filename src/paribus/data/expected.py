"""The data that a run was planned on, and the refusal of any other (decision 0070)."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.data import known
from paribus.data.dataset import Content
from paribus.errors import DataError
from paribus.records import TrainJob


@dataclass(frozen=True, slots=True)
class ExpectedData:
    """What a job says of its data: the fingerprint that it was planned on, and stamps of the files at that time."""

    fingerprint: str
    files: tuple[known.Stamp, ...]

    @classmethod
    def of(cls, job: TrainJob) -> ExpectedData | None:
        """What a job expects; None where it was not planned on any data.

        Args:
            job: the run to be computed.
        """
        return None if job.data_fingerprint is None else cls(job.data_fingerprint, job.data_files)

    def learn(self) -> None:
        """Take over what is known of the files: while their stamps are the same, they are not hashed again."""
        known.learn_fingerprint(self.files, self.fingerprint)

    def is_in(self, content: Content) -> bool:
        """Whether this is that data."""
        return content.fingerprint() == self.fingerprint

    def check(self, content: Content, source: str) -> None:
        """Refuse data other than the expected one.

        Args:
            content: the content that was read.
            source: what errors call the data.

        Raises:
            DataError: its fingerprint is another; the message names both.
        """
        if not self.is_in(content):
            raise DataError(
                f"{source}: the data has changed since this command read it: fingerprint {content.fingerprint()}, "
                f"expected {self.fingerprint}. Nothing was stored of the runs that would have been trained on it; run "
                "the command again once the data stays as it is"
            )
