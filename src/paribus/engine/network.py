"""A network built from its recipe: no weights, but one compiled program that draws the weights from two keys.

Keras would draw initial weights one operation at a time, seconds for the first model. Here the model is built inside
``keras.StatelessScope(initialize_variables=False)``, which creates variables without values, and their initializers
run together inside one jitted program with the keys as arguments: compiled once, shared by all seeds.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec, TypeVar

import jax
import keras

from paribus.engine.augmentation import transform_fast
from paribus.engine.dropout import CUSTOM_OBJECTS, with_cheap_masks
from paribus.engine.kernels.replace import SEQUENCE_RULES, WINDOW_RULES, with_cpu_kernels
from paribus.engine.losses import OutputKind, TargetForm, loss_from, output_kind, target_form
from paribus.engine.precision import BF16
from paribus.engine.rebuild import model_from_config
from paribus.keras_config.sequences import has_sequences
from paribus.keras_config.windows import has_windows
from paribus.records import Recipe, Training

P = ParamSpec("P")
R = TypeVar("R")


class State(NamedTuple):
    """What training changes: arrays in the order of Keras's variables, with several lanes an axis of lanes first.

    Attributes:
        trainable: the trainable weights.
        non_trainable: the other variables of the model, the states of its seed generators (uint32 ``(2,)``) included.
        optimizer: the optimizer's variables, its learning rate and step count included.
    """

    trainable: list[jax.Array]
    non_trainable: list[jax.Array]
    optimizer: list[jax.Array]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A model, its optimizer and its loss: their structure, without any value of a weight.

    Attributes:
        model: the model, whose variables hold no values.
        optimizer: the optimizer, built for the model.
        loss: the protocol's loss.
        target_form: which labels the loss reads.
        output_kind: what the loss takes the model's outputs for.
        seed_states: the positions of the seed generators' states among the non-trainable variables.
        starts_from_weights: whether the optimizer's first state depends on the weights.
        bf16: whether matrix products and convolutions are taken of operands rounded to bf16 while training.
        kernels: whether convolutions and pooling are computed in the forms of ``paribus.engine.kernels``, and
            transformed images in that of ``paribus.engine.augmentation``.
        sequences: whether the products and sums of attention and recurrent layers are.
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    loss: keras.losses.Loss
    target_form: TargetForm
    output_kind: OutputKind
    seed_states: tuple[int, ...]
    starts_from_weights: bool
    bf16: bool
    kernels: bool
    sequences: bool

    @classmethod
    def rebuild(cls, recipe: Recipe, training: Training) -> Network:
        """Build a network from its recipe. No weight is drawn and nothing is compiled.

        Args:
            recipe: the arm's canonical form.
            training: the protocol: its loss and its precision.

        Raises:
            ValueError, TypeError: Keras refuses the config, or a class that it names is not registered in this process.
        """
        forget_what_was_built()
        with _no_luck(), keras.StatelessScope(initialize_variables=False):
            model = model_from_config(with_cheap_masks(json.loads(recipe.model)), custom_objects=CUSTOM_OBJECTS)
        optimizer, starts_from_weights = _optimizer(recipe.optimizer, model)
        forget_what_was_built()
        loss = loss_from(training.loss)
        positions = tuple(i for i, v in enumerate(model.non_trainable_variables) if _is_seed_state(v))
        kind = output_kind(training.loss)
        form, bf16 = target_form(training.loss), training.precision == BF16
        on_cpu = jax.default_backend() == "cpu"
        kernels, sequences = on_cpu and has_windows(recipe), on_cpu and has_sequences(recipe)
        if kernels:
            transform_fast(model)
        return cls(model, optimizer, loss, form, kind, positions, starts_from_weights, bf16, kernels, sequences)

    def call(
        self,
        trainable: list[jax.Array],
        others: list[jax.Array],
        x: jax.Array,
        *,
        training: bool,
        penalties: bool = False,
    ) -> Any:
        """The outputs of the model with these weights, as ``keras.Model.stateless_call`` returns them.

        Keras passes ``training`` only to a ``call`` that takes it, and so does this.

        Args:
            trainable: see :class:`State`.
            others: the non-trainable variables.
            x: examples as the model reads them, shape ``(batch, ...)``.
            training: whether the layers train or infer.
            penalties: whether weight penalties are returned as well.

        Returns:
            Outputs ``(batch, outputs)`` and the new non-trainable variables; with ``penalties`` a list of those, too.
        """
        mode = {"training": training} if self.model._call_has_training_arg else {}
        return self.model.stateless_call(trainable, others, x, return_losses=penalties, **mode)

    def with_kernels(self, function: Callable[P, R]) -> Callable[P, R]:
        """A function that calls the network, in the form in which it is computed here (``kernels``, ``sequences``).

        Args:
            function: a function of arrays; what it differentiates it has differentiated already.
        """
        rules = {**(WINDOW_RULES if self.kernels else {}), **(SEQUENCE_RULES if self.sequences else {})}
        return with_cpu_kernels(function, rules) if rules else function

    @property
    def weight_paths(self) -> tuple[str, ...]:
        """The paths of all weights in the order of ``named_weights``."""
        others = enumerate(self.model.non_trainable_variables)
        return (
            *(v.path for v in self.model.trainable_variables),
            *(v.path for i, v in others if i not in self.seed_states),
        )

    def state_from(self, init_key: jax.Array, dropout_keys: jax.Array, weights: list[jax.Array]) -> State:
        """The first state of a run that starts from these weights, in the order of ``weight_paths``; made to be jitted.

        Nothing is drawn with ``init_key``.

        Args:
            init_key: not used.
            dropout_keys: uint32 ``(seed states, 2)``, one for every layer that draws masks.
            weights: the arrays.
        """
        del init_key
        # Copies, as the first epoch takes the memory of the state.
        copies = iter([jax.numpy.copy(weight) for weight in weights])
        trainable = [next(copies) for _ in self.model.trainable_variables]
        keys = iter(dropout_keys)
        positions = range(len(self.model.non_trainable_variables))
        non_trainable = [next(keys) if i in self.seed_states else next(copies) for i in positions]
        return State(trainable, non_trainable, self._initial_optimizer(trainable))

    def initial_state(self, init_key: jax.Array, dropout_keys: jax.Array) -> State:
        """Draw all weights, with an optimizer that has taken no step: a pure function, made to be jitted.

        Args:
            init_key: uint32 ``(2,)``; its counter moves on with every random initializer, in the variables' order.
            dropout_keys: uint32 ``(seed states, 2)``, one for every layer that draws masks.

        Returns:
            The state of one run before its first epoch.
        """
        stream = keras.random.SeedGenerator(0)
        for initializer in _initializers(self.model):
            if hasattr(initializer, "seed"):
                initializer.seed = stream
        with keras.StatelessScope(state_mapping=[(stream.state, init_key)], initialize_variables=False):
            drawn = {id(v): _draw(v) for v in self.model.variables if not _is_seed_state(v)}
        trainable = [drawn[id(v)] for v in self.model.trainable_variables]
        keys = iter(dropout_keys)
        non_trainable = [
            next(keys) if i in self.seed_states else drawn[id(v)]
            for i, v in enumerate(self.model.non_trainable_variables)
        ]
        return State(trainable, non_trainable, self._initial_optimizer(trainable))

    def _initial_optimizer(self, trainable: list[jax.Array]) -> list[jax.Array]:
        """An optimizer that starts from the weights (ScheduleFreeAdamW) is built again, on these weights."""
        optimizer = self.optimizer
        if self.starts_from_weights:
            with jax.ensure_compile_time_eval():
                optimizer = type(optimizer).from_config(optimizer.get_config())
        mapping = list(zip(self.model.trainable_variables, trainable, strict=True))
        with keras.StatelessScope(state_mapping=mapping, initialize_variables=False) as scope:
            if not optimizer.built:
                optimizer.build(self.model.trainable_variables)
            assigned = [scope.get_current_value(v) for v in optimizer.variables]
            return [
                _draw(v) if value is None else value for v, value in zip(optimizer.variables, assigned, strict=True)
            ]

    def finalized(self, state: State) -> State:
        """The state after the last step: an optimizer with ``use_ema`` leaves the average of the weights behind.

        Args:
            state: that of one run.
        """
        variables = self.model.trainable_variables
        mapping = [
            *zip(variables, state.trainable, strict=True),
            *zip(self.optimizer.variables, state.optimizer, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            self.optimizer.finalize_variable_values(variables)
            return state._replace(trainable=[scope.get_current_value(v) for v in variables])

    def named_weights(self, state: State) -> dict[str, jax.Array]:
        """Weights by path, trainable and not, without the states of seed generators.

        Args:
            state: that of one run.
        """
        weights = {v.path: value for v, value in zip(self.model.trainable_variables, state.trainable, strict=True)}
        for i, (v, value) in enumerate(zip(self.model.non_trainable_variables, state.non_trainable, strict=True)):
            if i not in self.seed_states:
                weights[v.path] = value
        return weights


def forget_what_was_built() -> None:
    """Make Keras forget the variables that wait for a value, or it would draw them inside the next traced program.

    It also starts to count from one again, so that the names of sublayers that a class makes by itself do not depend on
    what was built before. Never call it inside a ``StatelessScope``, which it would end.
    """
    keras.utils.clear_session(free_memory=False)


@contextmanager
def _no_luck() -> Iterator[None]:
    """Seeds that Keras makes up, with Python's generator, for objects without a seed are the same in every process."""
    state = random.getstate()
    random.seed(0)
    try:
        yield
    finally:
        random.setstate(state)


def _optimizer(text: str, model: keras.Model) -> tuple[Any, bool]:
    """An optimizer built for a model, and whether its first state depends on the model's weights.

    Nadam and Adafactor make variables with initial values, which a stateless scope forbids: they are built outside.
    """
    optimizer = keras.saving.deserialize_keras_object(json.loads(text))
    try:
        with keras.StatelessScope(initialize_variables=False) as scope:
            optimizer.build(model.trainable_variables)
    except ValueError:
        optimizer = keras.saving.deserialize_keras_object(json.loads(text))
        optimizer.build(model.trainable_variables)
        return optimizer, False
    return optimizer, any(scope.get_current_value(v) is not None for v in optimizer.variables)


def _draw(variable: Any) -> jax.Array:
    """A variable's initial value. One made outside the scope (a learning rate, a step count) has it already."""
    initializer = variable._initializer
    if initializer is None:
        return jax.numpy.asarray(variable._value)
    return jax.numpy.asarray(initializer(variable.shape, dtype=variable.dtype), dtype=variable.dtype)


def _is_seed_state(variable: Any) -> bool:
    return bool(variable.name == "seed_generator_state")


def _initializers(model: keras.Model) -> Iterator[Any]:
    """What draws weights: initializers that layers hold (a bias may be drawn by a closure over one), or variables."""
    for layer in model._flatten_layers():
        yield from (value for value in vars(layer).values() if isinstance(value, keras.initializers.Initializer))
    yield from (v._initializer for v in model.variables if isinstance(v._initializer, keras.initializers.Initializer))
