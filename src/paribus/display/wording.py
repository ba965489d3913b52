"""The words of progress messages, the same in every display."""

from __future__ import annotations

from paribus.display.tally import Running, Tally
from paribus.records import DataSummary, EpochReport, Interrupted, RunResult, Started, StudyKind, TrainJob
from paribus.study.document import MAX_SEED, StudyDocument


def format_duration(seconds: float) -> str:
    """``48 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def describe_reading(source: str, size: int) -> str:
    """``reading big once for its fingerprint: 4.0 GiB``."""
    return f"reading {source} once for its fingerprint: {size / 2**30:.1f} GiB"


def describe_folds(document: StudyDocument, data: DataSummary) -> str:
    """``1,797 examples in 5 folds, 2 times``; empty with a fixed test split."""
    divided = document.data.divided
    if divided is None:
        return ""
    times = f", {divided.repeats} times" if divided.repeats > 1 else ""
    return f"{data.train + data.test:,} examples in {divided.count} folds{times}"


def name_run(job: TrainJob) -> str:
    """``big seed 3``; a candidate of tuning is ``big candidate 2``, with the number of its seed from the second on."""
    seed = job.seeds.seed
    if seed is not None and job.kind is StudyKind.TUNING:
        arm, _, number = job.arm.rpartition(".")
        return f"{arm} candidate {number}" + (f" seed {seed - MAX_SEED}" if seed > MAX_SEED else "")
    if seed is not None:
        return f"{job.arm} seed {seed}"
    return f"{job.arm} seeds {job.seeds.init}/{job.seeds.order}/{job.seeds.dropout}"


def describe_result(job: TrainJob, result: RunResult) -> str:
    """``test accuracy 0.9812``, or the status and reason of a run without a score."""
    if result.scores is None:
        return f"{result.status}: {result.reason}"
    # A candidate of tuning shows the measure that decides, and nothing of the test split.
    values = result.curve.val_accuracy if job.kind is StudyKind.TUNING else ()
    scored = f"val accuracy {values[-1]:.4f}" if values else f"test accuracy {result.scores.test_accuracy:.4f}"
    return scored if result.reason is None else f"{result.status} ({result.reason}), {scored}"


def describe_progress(run: Running) -> str:
    """The progress of a run in words: ``compiling, first epoch``, or its last epoch."""
    if run.job.recipe.is_estimator:
        return "fitting"
    return "compiling, first epoch" if run.report is None else describe_epoch(run.report)


def describe_epoch(report: EpochReport) -> str:
    """``epoch 3/10, fit loss 0.0512, fit accuracy 0.9834``."""
    text = (
        f"epoch {report.epoch}/{report.epochs}, fit loss {report.fit_loss:.4f}, fit accuracy {report.fit_accuracy:.4f}"
    )
    return text if report.val_accuracy is None else f"{text}, val accuracy {report.val_accuracy:.4f}"


def describe_retry(event: Started) -> str:
    """A run is tried again, with the reason."""
    death = "" if event.death is None else f": {event.death}"
    return f"{name_run(event.job)}: its worker died{death}; attempt {event.attempt}"


def describe_interruption(event: Interrupted) -> str:
    """Which runs finish, which are stopped, and how to stop now."""
    parts = ["interrupted: no further run is started"]
    if event.stopped:
        parts.append(f"{count_runs(len(event.stopped))} stopped (to be computed again)")
    if event.finishing:
        names = ", ".join(name_run(job) for job in event.finishing)
        parts.append(f"{names} nearly done and finishing; press Ctrl-C again to stop now")
    return "; ".join(parts)


def describe_unfinished(tally: Tally) -> str:
    """The counts of an interrupted study: runs that ended, now or earlier, and runs still to do."""
    total, to_do = tally.plan.run_count, tally.total - len(tally.ended)
    return f"interrupted: {total - to_do} of {count_runs(total)} have ended, {to_do} to do"


def format_time_left(seconds: float | None) -> str:
    """``about 3 min 20 s left``; empty before there is an estimate."""
    return "" if seconds is None else f"about {format_duration(seconds)} left"


def count_runs(count: int) -> str:
    """``1 run``, ``15 runs``."""
    return f"{count} run{'' if count == 1 else 's'}"
