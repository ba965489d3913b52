"""Why an arm's network cannot be trained, known before anything trains, without running its programs.

Keras takes many a layer that cannot be trained as a pure step. Most of them show when the step is traced; the others,
which would train but as another network than was meant, are known by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import jax
import keras
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from numpy.typing import NDArray

from paribus.engine import steps
from paribus.engine.network import Network
from paribus.engine.rebuild import as_read, input_shape
from paribus.keras_config.custom_objects import registered_names
from paribus.records import Recipe, Training

_PLAIN = frozenset(
    {
        "Activation",
        "Add",
        "BatchNormalization",
        "Conv1D",
        "Conv2D",
        "Dense",
        "Dropout",
        "Flatten",
        "Functional",
        "GlobalAveragePooling2D",
        "InputLayer",
        "MaxPooling2D",
        "Sequential",
    }
)
"""Keras's layers that train with whatever arguments they take; a network of these alone is not tried."""

_COLOURS = re.compile(r"\x1b\[\d+m")
"""With which Keras marks its messages for a terminal."""

_OBJECTIONS = (ValueError, TypeError, NotImplementedError, IndexError, AttributeError, KeyError)
"""What Keras and JAX raise of a step that cannot be traced."""


def objections(network: Network, example_shape: tuple[int, ...]) -> list[str]:
    """Why a network cannot be trained; empty where nothing speaks against it.

    Args:
        network: the network, whose shapes fit the data.
        example_shape: the shape of one example of the data.

    Returns:
        One message for each objection, with its remedy.
    """
    layers = list(network.model._flatten_layers())
    reasons = [*_known(layers), *_of_optimizer(network.optimizer), *_of_loss(network.loss)]
    if reasons or (_usual(network.loss) and only_plain(network)):
        return reasons
    try:
        return list(_traced(network, example_shape))
    except _OBJECTIONS as error:
        return [f"Keras cannot train it as a pure step: {_message(error)}"]


def only_plain(network: Network) -> bool:
    """Whether a network consists of Keras's commonest layers alone."""
    layers = list(network.model._flatten_layers())
    operations = [operation for layer in layers for operation in getattr(layer, "operations", ())]
    return all(isinstance(operation, keras.Layer) for operation in operations) and all(map(_plain, layers))


def inference_objection(network: Network, example_shape: tuple[int, ...]) -> str | None:
    """Why a network's answers in inference mode would be a matter of chance or of the batches; None where they are not.

    A layer that draws or updates itself in inference mode too changes the network while it is measured: what ``fit``
    and ``evaluate`` say of it depends on the size and the order of the batches. Recurrent layers of Keras draw masks
    that they do not use then, which changes no answer.

    Args:
        network: a network that can be trained, whose shapes fit the data.
        example_shape: the shape of one example of the data.

    Returns:
        A message that names the layer and the remedy, or None.
    """
    variables = network.model.non_trainable_variables
    if not variables:
        return None
    reads = as_read(input_shape(network.model)[1:], example_shape)
    assert reads is not None, "the shapes were checked"

    def states(others: list[jax.Array], weights: list[jax.Array], x: jax.Array) -> Any:
        return network.call(weights, others, x, training=False)

    others, weights = (
        [np.zeros(v.shape, v.dtype) for v in group] for group in (variables, network.model.trainable_variables)
    )
    program = jax.make_jaxpr(states)(others, weights, np.zeros((3, *reads), np.float32)).jaxpr
    answers = program.outvars[: -len(variables)]
    afterwards = zip(variables, program.invars, program.outvars[-len(variables) :], strict=False)
    changed = [variable for variable, before, after in afterwards if before is not after]
    used = _inputs_of(program, answers)
    seeds = [v for v, before in zip(variables, program.invars, strict=False) if _is_seed(v) and before in used]
    changed = [variable for variable in changed if not _is_seed(variable)]
    if not changed and not seeds:
        return None
    if seeds:
        return (
            f"layer '{_owner(network, seeds[0])}' draws random numbers in inference mode too, so that every answer "
            "would depend on chance: let its call take `training`, and draw only where that is true"
        )
    return (
        f"layer '{_owner(network, changed[0])}' changes its {changed[0].name} in inference mode too, so that an answer "
        "would depend on what was answered before: let its call take `training`, and change it only where that is true"
    )


def _is_seed(variable: Any) -> bool:
    return bool(variable.name == "seed_generator_state")


def _inputs_of(program: Jaxpr, outputs: Iterable[Any]) -> set[Any]:
    """All variables of a program that some of its outputs are computed from."""
    used = {atom for atom in outputs if not isinstance(atom, Literal)}
    for equation in reversed(program.eqns):
        if not used.isdisjoint(equation.outvars):
            used.update(atom for atom in equation.invars if not isinstance(atom, Literal))
    return used


def _owner(network: Network, variable: Any) -> str:
    """The name of the innermost layer that has a variable."""
    owners = [layer for layer in network.model._flatten_layers() if any(v is variable for v in layer.variables)]
    return str(min(owners, key=lambda layer: len(layer.variables)).name)


def stuck(optimizer: keras.optimizers.Optimizer) -> str | None:
    """Why an optimizer cannot take a step; None if it can. Traced on four weights, which takes milliseconds.

    Keras looks at an argument such as ``beta_1`` when a step computes with it.

    Args:
        optimizer: the optimizer; it is not changed.

    Returns:
        Keras's or JAX's own message, or None.
    """
    try:
        fresh = type(optimizer).from_config(optimizer.get_config())
        weights = np.zeros((2, 2), np.float32)
        fresh.build([keras.Variable(weights)])
        state = [np.zeros(variable.shape, variable.dtype) for variable in fresh.variables]
        jax.eval_shape(fresh.stateless_apply, state, [weights], [weights])
    except _OBJECTIONS as error:
        return _message(error)
    return None


def rebuilt(recipe: Recipe, training: Training) -> tuple[Network | None, str]:
    """Build the network that a worker would train.

    Args:
        recipe: the arm's canonical form.
        training: the protocol.

    Returns:
        The network and an empty text; or None and a message that says why Keras cannot build it.
    """
    try:
        return Network.rebuild(recipe, training), ""
    except _OBJECTIONS as error:
        return None, f"Keras cannot build it again from its config: {' '.join(str(error).split())[:600]}"


def differs_when_rebuilt(network: Network, recipe: Recipe, training: Training, example_shape: tuple[int, ...]) -> bool:
    """Whether a user's own classes make another network of the same config each time.

    They do where they draw random numbers that no stream of the run reaches, such as NumPy's: at construction, in
    ``build``, or in ``call`` while it is traced. Such numbers are constants of the traced programs.

    Args:
        network: the network, built once from ``recipe``.
        recipe: the arm's canonical form.
        training: the protocol.
        example_shape: the shape of one example of the data.

    Returns:
        True where a second network has other constants than ``network``; False for a network without own classes.

    Raises:
        ValueError, TypeError: Keras cannot build the network a second time.
    """
    if not registered_names(json.loads(recipe.model)):
        return False
    again = Network.rebuild(recipe, training)
    first, second = (list(_constants_of(built, example_shape)) for built in (network, again))
    return len(first) != len(second) or not all(map(_are_same, first, second))


def _are_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two constants are equal; nan, of which layer normalization has one, is equal to itself."""
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f" and other.dtype.kind == "f")


def _constants_of(network: Network, example_shape: tuple[int, ...]) -> Iterator[NDArray[Any]]:
    """Every constant in the programs that draw the weights and that train on a batch."""
    keys = np.zeros((len(network.seed_states), 2), np.uint32)
    drawn, state = jax.make_jaxpr(network.initial_state, return_shape=True)(np.zeros(2, np.uint32), keys)
    reads = as_read(input_shape(network.model)[1:], example_shape)
    assert reads is not None, "the shapes were checked"
    x, labels = np.zeros((3, *reads), np.float32), np.zeros(3, np.int32)
    step = jax.make_jaxpr(partial(steps.train_step, network))(state, x, labels)
    for jaxpr in (drawn, step):
        yield from _constants(jaxpr)


def _constants(value: Any) -> Iterator[NDArray[Any]]:
    """The constants of a traced program, with those of the programs inside it."""
    if isinstance(value, ClosedJaxpr):
        yield from (np.asarray(const) for const in value.consts)
        yield from _constants(value.jaxpr)
    elif isinstance(value, Jaxpr):
        for equation in value.eqns:
            yield from (np.asarray(var.val) for var in equation.invars if isinstance(var, Literal))
            for inner in equation.params.values():
                yield from _constants(inner)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _constants(item)


def _message(error: Exception) -> str:
    message = " ".join(_COLOURS.sub("", str(error)).split())
    return message.split(" Arguments received by", 1)[0][:600]


def _traced(network: Network, example_shape: tuple[int, ...]) -> Iterator[str]:
    """Trace every program on shapes alone."""
    reads = as_read(input_shape(network.model)[1:], example_shape)
    assert reads is not None, "the shapes were checked"
    keys = np.zeros((len(network.seed_states), 2), np.uint32)
    state = jax.eval_shape(network.initial_state, np.zeros(2, np.uint32), keys)
    prepare = steps.prepared(reads)
    order = labels = np.zeros(5, np.int32)
    x = np.zeros((5, *example_shape), np.float32)
    # A full batch of three and a short one.
    jax.eval_shape(steps.chunk_program(network, prepare, 3), state, steps.Sums.zero(), order, x, labels)
    evaluation = jax.eval_shape(steps.evaluation_program(network, prepare), state, x, labels)
    if evaluation.loss.shape != (5,):
        yield f"loss {type(network.loss).__name__} gives no value for each example, which is what runs are compared by"


def _known(layers: list[Any]) -> Iterator[str]:
    """What would train, but not as it was meant."""
    for layer in layers:
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            yield (
                f"layer '{layer.name}' (Normalization) has no mean and variance: what adapt() computed is not part of "
                "a config. Pass mean and variance to the layer, or say standardize = true for the data"
            )
        if getattr(layer, "stateful", False):
            yield f"layer '{layer.name}' is stateful, but batches are independent of each other; leave stateful out"
        if layer.compute_dtype == "float16":
            yield f"layer '{layer.name}' computes in float16, which needs scaled losses; take float32 or mixed_bfloat16"


def _of_optimizer(optimizer: Any) -> Iterator[str]:
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) or optimizer.loss_scale_factor is not None:
        yield "the optimizer scales losses, which paribus does not; train in float32 or mixed_bfloat16 without that"


def _of_loss(loss: Any) -> Iterator[str]:
    if getattr(loss, "ignore_class", None) is not None:
        yield (
            "the loss's ignore_class leaves examples out, so that loss and accuracy are of different examples: leave "
            "it out, or give that class the weight 0 in class_weight"
        )


def _usual(loss: Any) -> bool:
    """Whether a loss is known to have a value for each example."""
    return "Crossentropy" in type(loss).__name__ and loss.reduction == "sum_over_batch_size"


def _plain(layer: Any) -> bool:
    """Whether a layer is one of Keras's own that needs no trial; what it holds must be Keras's too."""
    kinds = [type(layer), *(type(v) for v in vars(layer).values() if isinstance(v, _HELD))]
    functions = [v for name, v in vars(layer).items() if name == "activation" and callable(v)]
    modules = [*(kind.__module__ for kind in kinds), *(str(getattr(v, "__module__", "")) for v in functions)]
    ours = type(layer).__module__.startswith("paribus.")
    return ours or (type(layer).__name__ in _PLAIN and all(module.startswith("keras.") for module in modules))


_HELD = (keras.initializers.Initializer, keras.regularizers.Regularizer, keras.constraints.Constraint)
