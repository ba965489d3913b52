"""The methods paragraphs of a report: what was done, in the words of a paper, and the sources of the methods used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from paribus.analysis import Comparison, Scope
from paribus.analysis.phrases import has_own_share, share_text
from paribus.analysis.possible import print_limits
from paribus.analysis.wording import counted, listed, magnitude, percent
from paribus.outcome.outcome import Outcome
from paribus.records import Status
from paribus.report import tuning
from paribus.report.splits import describe_split
from paribus.report.statements import JudgedStatement, count_factors, list_statements
from paribus.report.tables import holm_p
from paribus.study.predictions_request import PredictionsRequest

GALLAS = "Gallas B. D. et al. A framework for random-effects ROC analysis. J. Opt. Soc. Am. A 24, B70 (2007)."
COCHRAN = "Cochran W. G., Cox G. M. Experimental Designs. Wiley (1950)."
BANERJEE = "Banerjee S. K. Approximate confidence interval for linear functions of means. Sankhya 22, 357-358 (1960)."
SCHUIRMANN = (
    "Schuirmann D. J. A comparison of the two one-sided tests procedure. J. Pharmacokinet. Biopharm. 15, 657 (1987)."
)
BRETZ = (
    "Bretz F., Maurer W., Brannath W., Posch M. A graphical approach to sequentially rejective multiple test "
    "procedures. Stat. Med. 28, 586 (2009)."
)
WEIGHTED_HOLM = "Benjamini Y., Hochberg Y. Multiple hypotheses testing with weights. Scand. J. Stat. 24, 407 (1997)."
HOLM = "Holm S. A simple sequentially rejective multiple test procedure. Scand. J. Stat. 6, 65 (1979)."
LAN = "Lan K. K. G., DeMets D. L. Discrete sequential boundaries for clinical trials. Biometrika 70, 659 (1983)."
MILLER = "Miller E. Adding error bars to evals. arXiv 2411.00640 (2024)."
MACKINNON = "MacKinnon J. G., Nielsen M. O., Webb M. D. Cluster-robust inference. J. Econometrics 232, 272 (2023)."
NADEAU = "Nadeau C., Bengio Y. Inference for the generalization error. Machine Learning 52, 239-281 (2003)."
BENGIO = (
    "Bengio Y., Grandvalet Y. No unbiased estimator of the variance of K-fold cross-validation. JMLR 5, 1089 (2004)."
)
BAYLE = "Bayle P., Bayle A., Janson L., Mackey L. Cross-validation confidence intervals for test error. NeurIPS (2020)."
GUO = "Guo C. et al. On calibration of modern neural networks. ICML (2017)."


@dataclass(frozen=True, slots=True)
class Methods:
    """Paragraphs of plain text, and the sources they rest on."""

    paragraphs: tuple[str, ...]
    sources: tuple[str, ...]


def describe_methods(outcome: Outcome, *, calibration: bool = False) -> Methods:
    """What was done, in the words of a paper.

    Args:
        outcome: the outcome.
        calibration: whether the report shows calibration, which has a source of its own.
    """
    judged = [item.comparison for item in list_statements(outcome) if item.comparison is not None]
    sources: list[str] = []
    if outcome.predictions_request is not None:
        paragraphs = [_predictions(outcome, outcome.predictions_request, sources)]
    else:
        paragraphs = [_design(outcome), *filter(None, (tuning.describe_tuning_method(outcome),)), _measures()]
    decided = [comparison for comparison in judged if comparison.low is not None]
    if decided:
        paragraphs.append(" ".join(_comparison(outcome, decided, sources)))
    elif judged:
        paragraphs.append("With one seed there are no intervals, no p values and no verdicts.")
    paragraphs.append(" ".join(_bounds(outcome)))
    if calibration:
        sources.append(GUO)
    return Methods(tuple(paragraphs), tuple(dict.fromkeys(sources)))


def _predictions(outcome: Outcome, request: PredictionsRequest, sources: list[str]) -> str:
    """What is known of predictions that were made elsewhere."""
    text = (
        f"The predictions of {counted(len(outcome.arms), 'arm')} with {counted(request.seeds, 'seed')} each on "
        f"{request.examples:,} test examples ({len(request.classes)} classes) were made elsewhere and read from "
        f"{request.source}; how the arms were trained is not known here. Every run answered every example, and runs "
        "pair by seed and by example. Accuracy is the share of right answers"
    )
    if any("test_loss" in arm.estimates for arm in outcome.arms):
        text += ", loss the mean of -log of the right class's probability, clipped at 1e-7"
    if request.folds is not None:
        whole = "" if request.groups is None else ", with whole groups in each"
        text += (
            f". Every example was answered by runs that did not train on it, in {request.folds} folds{whole}; each "
            "seed counted here is a pass over all folds"
        )
        return f"{text}."
    if request.groups is None:
        return f"{text}."
    if request.scope == Scope.THIS_TEST_SET:
        return f"{text}. The examples belong to {request.groups:,} groups, which claims on this test set do not sample."
    sources += [MILLER, MACKINNON]
    return (
        f"{text}. The examples belong to {request.groups:,} groups, which count as a sample of groups: errors of means "
        "are clustered (Miller 2024) by the delete-one-group jackknife (MacKinnon et al. 2023), with one degree of "
        "freedom less than the effective number of groups."
    )


def _design(outcome: Outcome) -> str:
    protocol, data = outcome.document.protocol, outcome.data
    counts = sorted({len(arm.scored) for arm in outcome.arms}) or [0]
    seeds = counted(counts[0], "seed") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    validation = (
        f", with {percent(protocol.validation_split)} of the training split held out for validation"
        if protocol.validation_split
        else ""
    )
    estimators = [arm.name for arm in outcome.arms if arm.trained_recipe.is_estimator]
    which = "is a scikit-learn estimator" if len(estimators) == 1 else "are scikit-learn estimators"
    baselines = (
        f" {listed(estimators)} {which}, fitted to the same training examples as vectors, without epochs and batches; "
        "of a seed's streams the first alone is used."
        if estimators
        else ""
    )
    return (
        f"{counted(len(outcome.arms), 'arm').capitalize()} were trained with {seeds} each on {data.name} "
        f"({describe_split(outcome)}, {data.classes} classes): "
        f"{counted(protocol.epochs, 'epoch')}, batches of {protocol.batch_size}, "
        f"{next(iter(protocol.loss))}{validation}. {_preparation(outcome)}{_class_weights(outcome)}"
        f"{_learning_rates(outcome)}{_precision(outcome)}"
        "A seed determines three independent streams: initial weights, order of the batches, dropout. "
        f"{_initial_weights(outcome)}{_pairing(outcome)}"
        f"{baselines}"
    )


def _preparation(outcome: Outcome) -> str:
    """How inputs were scaled and missing values filled in; nothing where they were taken as they are."""
    data = outcome.document.data
    sentences = []
    if data.standardize:
        sentences.append(
            "Every feature was standardized: its mean was subtracted and its standard deviation divided by, both of "
            "the training examples. "
        )
    elif data.scale is not None and data.scale != 1:
        sentences.append(f"Inputs were divided by {data.scale:g}. ")
    if data.impute is not None:
        sentences.append("Missing values were filled in with what the training split has. ")
    return "".join(sentences)


def _class_weights(outcome: Outcome) -> str:
    """How the classes were weighed in the training loss; nothing where they were not."""
    weights = outcome.document.protocol.class_weight
    if weights is None:
        return ""
    loss = "While training, the loss of each example was weighed"
    if isinstance(weights, str):
        return f"{loss} inversely proportional to how often its class is trained on. "
    named = listed([f"{weight:g} for {label}" for label, weight in weights.items()])
    others = ", 1 for any other" if len(weights) < outcome.data.classes else ""
    return f"{loss} by its class: {named}{others}. "


def _pairing(outcome: Outcome) -> str:
    """What runs of different arms have in common."""
    if outcome.document.data.folds is None:
        return "All arms used the same seeds, so that runs pair by seed and by test example."
    return (
        "Each run trained on all folds but one and was measured on that one, with a seed of its own; whatever was "
        "fitted to data was fitted to its training part. All arms used the same folds and seeds, so that runs pair by "
        "fold, seed and test example."
    )


def _initial_weights(outcome: Outcome) -> str:
    """Which arms start from weights of a file; nothing where none does."""
    names = [arm.name for arm in outcome.arms if arm.trained_recipe.initial_weights is not None]
    if not names:
        return ""
    return f"Every run of {listed(names)} started from the same pretrained weights, with frozen layers as they are. "


def _learning_rates(outcome: Outcome) -> str:
    """How the learning rate changed from epoch to epoch; nothing where the optimizers alone say it."""
    document, sentences = outcome.document, []
    tables = {"": document.protocol.learning_rates}
    tables |= {f" of {name}": arm.learning_rates for name, arm in document.arms.items()}
    for which, rates in tables.items():
        if rates is not None:
            parts = [f"{rate:g} ({counted(len(list(run)), 'epoch')})" for rate, run in groupby(rates)]
            listing = listed(parts) if len(parts) <= 6 else f"from {rates[0]:g} to {rates[-1]:g}, by a table"
            sentences.append(f"The learning rate{which} was set for every epoch: {listing}. ")
    plateau = document.protocol.reduce_lr_on_plateau
    if plateau is not None:
        least = f", but not below {plateau.min_lr:g}" if plateau.min_lr else ""
        sentences.append(
            f"The learning rate was multiplied by {plateau.factor:g}{least} whenever the "
            f"{plateau.monitor.replace('val_', 'validation ')} had not improved by more than {plateau.min_delta:g} for "
            f"{counted(plateau.patience, 'epoch')}. "
        )
    return "".join(sentences)


def _precision(outcome: Outcome) -> str:
    """Which arms were trained with products of rounded operands; nothing where none was."""
    document = outcome.document
    networks = {name: arm for name, arm in document.arms.items() if arm.estimator is None}
    rounded = [name for name, arm in networks.items() if (arm.precision or document.protocol.precision) == "bf16"]
    if not rounded:
        return ""
    which = "all arms" if len(rounded) == len(document.arms) else listed(rounded)
    return (
        f"While {which} trained, the operands of every matrix product and convolution were rounded to bf16, and sums, "
        "weights and optimizer were in float32; measured was in float32. "
    )


def _measures() -> str:
    return (
        "Train and test accuracy were measured after the last epoch, in inference mode, on the whole split; the "
        "generalization gap is their difference. Fit accuracy, the running mean that fit prints, is measured in "
        "training mode over weights that still change; it is reported under that name and not used for the gap. The "
        "test split was scored once per run and decided nothing about the training."
    )


def _comparison(outcome: Outcome, judged: Sequence[Comparison], sources: list[str]) -> Iterator[str]:
    level = percent(judged[0].level)
    scopes = {comparison.scope for comparison in judged}
    mean = "test examples" if scopes == {Scope.THESE_NETWORKS} else "seeds"
    mean = "folds" if all(scope.is_of_folds for scope in scopes) else mean
    yield f"Differences are means over {mean} of the paired differences between two arms."
    if Scope.NEW_DATA in scopes:
        sources += [GALLAS, COCHRAN, BANERJEE]
        yield (
            f"Claims on new data treat seeds and test examples both as random: the variance of a difference comes from "
            f"a two-way analysis of variance of the per-example differences (Gallas 2007), and the {level} interval "
            f"uses a power mean of the t quantiles of its two parts (between Cochran and Cox 1950 and Banerjee 1960)."
        )
    if Scope.THESE_NETWORKS in scopes:
        yield (
            f"Claims are about the trained networks alone: the {level} interval treats the test examples as random. "
            "With one seed of each arm nothing is known of how much other seeds would differ, and there is no verdict "
            "on the recipes."
        )
        yield from _family(outcome, judged, sources)
        return
    if Scope.NEW_TRAINING_SETS in scopes:
        sources += [NADEAU, BENGIO]
        yield (
            f"Claims on new data and new training sets rest on the corrected resampled t interval ({level}) of the "
            "folds' differences: their variance is multiplied by 1 / J + n_test / n_train, with J - 1 degrees of "
            "freedom (Nadeau and Bengio 2003). The correction is a heuristic, as no unbiased estimate of that variance "
            "exists (Bengio and Grandvalet 2004), and the claims are about training sets as large as those of a fold."
        )
    if Scope.THESE_TRAINING_SETS in scopes:
        sources += [BAYLE]
        yield (
            f"Claims with these training sets treat seeds and examples as random within the folds ({level}): the "
            "variance of a fold's mean over its seeds, and that between examples of a fold (as Bayle et al. 2020 of "
            "the examples). Other training sets may give other differences."
        )
    if Scope.THIS_TEST_SET in scopes:
        yield f"Claims on one data split treat seeds alone as random: a paired t interval over the seeds ({level})."
    if any(map(_is_cut, list_statements(outcome))):
        yield (
            "Limits of intervals beyond the largest possible difference are printed as that difference; in JSON they "
            "are as computed."
        )
    yield from _family(outcome, judged, sources)
    yield from _equivalence(outcome, sources)
    flips = [comparison.sign_flip for comparison in judged if comparison.sign_flip is not None]
    if flips:
        smallest = min(flip.smallest for flip in flips)
        yield (
            "An exact sign-flip permutation of the seeds' differences is reported as a check on this test set; the "
            f"smallest p it can reach here is {smallest:.2g}."
        )
    if outcome.effects:
        yield "Main effects and interactions are contrasts of cell means, paired by seed over all cells."
    looks = [comparison.look for comparison in judged if comparison.look is not None]
    if looks:
        sources.append(LAN)
        look = looks[0]
        yield (
            f"The number of seeds grew in planned looks: this is look {look.number} of {look.planned}, at {look.seeds} "
            f"of {look.seeds_planned} seeds, with the error spent by the O'Brien-Fleming function of Lan and DeMets "
            "(1983)."
        )


def _is_cut(statement: JudgedStatement) -> bool:
    """Whether a limit of its interval goes beyond the largest possible difference (decision 0131)."""
    comparison = statement.comparison
    if comparison is None or comparison.low is None or comparison.high is None:
        return False
    return print_limits(statement.metric, comparison.low, comparison.high, count_factors(statement)).cut > 0


def _family(outcome: Outcome, judged: Sequence[Comparison], sources: list[str]) -> Iterator[str]:
    """How the allowed error is divided among the statements, and which p values are reported without deciding."""
    family = max(comparison.contrasts for comparison in judged)
    if family == 1:
        return
    with_holm = any(holm_p(statement) is not None for statement in list_statements(outcome))
    primary = [comparison for comparison in judged if comparison.primary]
    if primary and has_own_share(primary[0]):
        sources.append(BRETZ)
        yield (
            f"Of all {family} comparisons, {counted(len(primary), 'primary one')} had {share_text(primary[0])} each, "
            "and the others what was left, in equal parts. By the union bound, intervals, adjusted p values and "
            "verdicts hold for all of them at once (Bretz et al. 2009)."
        )
        if with_holm:
            sources.append(WEIGHTED_HOLM)
            yield "p values after weighted Holm (Benjamini and Hochberg 1997) are reported and decide nothing."
        return
    yield f"Intervals, adjusted p values and verdicts hold for all {family} comparisons at once (Bonferroni)."
    if with_holm:
        sources.append(HOLM)
        yield "p values after Holm (1979) are reported and decide nothing."


def _equivalence(outcome: Outcome, sources: list[str]) -> Iterator[str]:
    """The margins of the comparisons, and whether the study declared them."""
    margins: dict[bool, dict[str, None]] = {True: {}, False: {}}
    for statement in list_statements(outcome):
        margin = None if statement.comparison is None else statement.comparison.margin
        if margin is not None:
            margins[margin == statement.metric.default_margin][magnitude(margin, statement.metric.unit)] = None
    names = {False: "the margin that the study declares", True: "paribus's default margin"}
    named = [f"{names[default]} ({listed(list(sizes))})" for default, sizes in sorted(margins.items()) if sizes]
    if named:
        sources.append(SCHUIRMANN)
        yield (
            f"Arms count as equivalent where two one-sided tests (Schuirmann 1987) place the difference within "
            f"{' or '.join(named)}; what is neither different nor equivalent is undecided."
        )
    else:
        yield "No margin was declared, so that no difference counts as equivalent; what is not different is undecided."


def _bounds(outcome: Outcome) -> Iterator[str]:
    if outcome.predictions_request is not None:
        yield f"The claims are about these arms on test examples like those of {outcome.predictions_request.source}."
        return
    runs = [run for arm in outcome.arms for run in arm.runs]
    missing = sum(len(arm.missing) for arm in outcome.arms)
    diverged = sum(run.status is Status.DIVERGED for run in runs)
    failed = sum(run.status is Status.FAILED for run in runs)
    yield (
        f"Of {counted(len(runs) + missing, 'run')}, {len(runs) - diverged - failed} finished, {diverged} diverged, "
        + (f"{failed} failed and {missing} have not been computed.")
    )
    if diverged:
        yield "A diverged run counts with what its last weights score."
    if failed or missing:
        yield "Runs without a score take no part, and each comparison names the seeds it lacks."
    yield f"The claims are about these recipes on {outcome.data.name}."
    networks = [environment for environment in outcome.environments if not environment.of_estimator]
    estimators = [environment for environment in outcome.environments if environment.of_estimator]
    for environment in networks[:1]:
        yield (
            f"Computed with paribus {environment.paribus}, Keras {environment.keras} and JAX {environment.jax} on "
            f"{environment.cpu} ({environment.device})."
        )
    for environment in estimators[:1]:
        used = listed([name.replace("=", " ") for name in environment.flags.split()])
        where = "there" if networks else f"with paribus {environment.paribus} on {environment.cpu}"
        yield f"Estimators were fitted with {used}, {where}."
