"""One epoch of a network as one compiled program: JAX does not come back to Python within it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .faces import Array, augment, mixed, mixup_shares
from .settings import DistilSettings

if TYPE_CHECKING:
    import keras

_MOMENTUM = 0.9  # Nesterov's, of the steps


class Variables(NamedTuple):
    """A network's variables in the order of Keras: those it learns, and running statistics."""

    trainable: list[Array]
    others: list[Array]


class Progress(NamedTuple):
    """What one step leaves to the next."""

    variables: Variables
    velocity: list[Array]
    average: Variables
    steps: Array


class Material(NamedTuple):
    """Faces (N, 48, 48) uint8, their targets (N, K) float32, and the teachers' variables.

    The latter are stacked, T of each; `()` where there are none.
    """

    faces: Array
    targets: Array
    teachers: Variables | tuple[()]


class Strength(NamedTuple):
    """How much of each change an epoch makes."""

    augment: float
    degrade: float
    erase: float
    mixup: float
    teachers: float


Epoch = Callable[[Progress, Material, Strength, Array, Array, Array], tuple[Progress, Array, Array]]
"""From progress, material, strength, key, order (steps, B) of the faces and learning rates (steps,)
to the new progress, the mean loss in nats and the accuracy, 0..1."""


def variables_of(model: keras.Model) -> Variables:
    """A copy of a model's variables on the device."""
    return Variables(
        [jnp.array(variable.value) for variable in model.trainable_variables],
        [jnp.array(variable.value) for variable in model.non_trainable_variables],
    )


def beginning(variables: Variables) -> Progress:
    """Before the first step. The average begins as a copy, for each step's input is given up."""
    copies = jax.tree.map(jnp.array, variables)
    return Progress(
        copies, [jnp.zeros_like(one) for one in variables.trainable], variables, jnp.zeros(())
    )


def stacked(networks: list[Variables]) -> Variables:
    """Several networks' variables of one shape as one, each array with a first axis for them."""
    return Variables(*jax.tree.map(lambda *arrays: jnp.stack(arrays), *networks))


def epoch_of(model: keras.Model, teacher: keras.Model, settings: DistilSettings) -> Epoch:
    """Compile an epoch of ``model``; teachers, where there are any, are built as ``teacher``."""
    shares = mixup_shares(settings.mixup)
    decayed = [len(variable.shape) > 1 for variable in model.trainable_variables]

    def lesson(material: Material, strength: Strength, key: Array, chosen: Array) -> Any:
        """The faces (B, 48, 48, 1) of a step and their targets (B, K)."""
        keys = jax.random.split(key, 4)
        faces = augment(
            keys[0], material.faces[chosen], strength.augment, strength.degrade, strength.erase
        )
        labels = material.targets[chosen]
        classes = labels.shape[1]
        smooth = labels + settings.label_smoothing * (1 / classes - labels)
        faces, targets = mixed(keys[1], faces, smooth, strength.mixup * shares)
        faces = faces[..., None]
        if material.teachers:
            # One of them, by chance: over the epochs it is the mean of all, for the price of one.
            count = len(material.teachers.trainable[0])
            one = jax.random.randint(keys[2], (), 0, count)
            own = jax.tree.map(lambda array: array[one], material.teachers)
            said, _ = teacher.stateless_call(*own, faces, training=False)
            targets += strength.teachers * (said - targets)
        return faces, targets, labels

    def loss(trainable: list[Array], others: list[Array], faces: Array, targets: Array) -> Any:
        scores, others = model.stateless_call(trainable, others, faces, training=True)
        log = jnp.log(jnp.clip(scores, 1e-7, 1))
        return -(targets * log).sum(axis=1).mean(), (others, scores)

    def step(carried: Any, given: Any) -> Any:
        progress, material, strength = carried
        key, chosen, rate = given
        faces, targets, labels = lesson(material, strength, key, chosen)
        learn = jax.value_and_grad(loss, has_aux=True)
        (nats, (others, scores)), slopes = learn(*progress.variables, faces, targets)
        progress = moved(progress, slopes, others, rate)
        right = (scores.argmax(axis=1) == labels.argmax(axis=1)).mean()
        return (progress, material, strength), (nats, right)

    def moved(progress: Progress, slopes: list[Array], others: list[Array], rate: Array) -> Any:
        """The progress after one step of Nesterov's accelerated gradient."""
        trainable, velocity = [], []
        for weight, slope, speed, decays in zip(
            progress.variables.trainable, slopes, progress.velocity, decayed, strict=True
        ):
            # Offsets and the scales of batch normalisation have no size to keep small.
            pull = slope + settings.weight_decay * weight if decays else slope
            velocity.append(_MOMENTUM * speed + pull)
            trainable.append(weight - rate * (pull + _MOMENTUM * velocity[-1]))
        steps = progress.steps + 1
        keep = jnp.minimum(settings.average, steps / (steps + 9))  # as `averaging` does
        variables = Variables(trainable, others)
        average = jax.tree.map(
            lambda old, new: _towards(old, new, keep), progress.average, variables
        )
        return Progress(variables, velocity, average, steps)

    def epoch(
        progress: Progress,
        material: Material,
        strength: Strength,
        key: Array,
        order: Array,
        rates: Array,
    ) -> tuple[Progress, Array, Array]:
        keys = jax.random.split(key, len(order))
        carried: Any = (progress, material, strength)
        (progress, *_), (nats, right) = jax.lax.scan(step, carried, (keys, order, rates))
        return progress, nats.mean(), right.mean()

    return jax.jit(epoch, donate_argnums=0)


def _towards(old: Array, new: Array, keep: Array) -> Array:
    """``keep`` of the old and the rest of the new; whole numbers, dropout's seeds, are the new."""
    if not jnp.issubdtype(new.dtype, jnp.floating):
        return new
    return old * keep + new * (1 - keep)


def scores_of(model: keras.Model) -> Callable[[Variables, Array], np.ndarray[Any, Any]]:
    """Compile a function from variables and (N, 48, 48) uint8 faces to (N, K) float32 scores."""

    @jax.jit
    def scores(variables: Variables, faces: Array) -> Array:
        inputs = faces[..., None].astype(jnp.float32)
        return model.stateless_call(*variables, inputs, training=False)[0]

    return lambda variables, faces: np.asarray(scores(variables, faces), np.float32)
