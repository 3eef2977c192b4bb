"""Training steps of the Object Detection API, over one or several devices and hosts."""

from collections.abc import Mapping

import tensorflow as tf
from object_detection import inputs, model_lib_v2
from object_detection.builders import model_builder, optimizer_builder
from object_detection.core.model import DetectionModel
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig
from sagemaker_contract import UserError

STOP = "stop"


class Training:
    """A model, its optimizer and where they are in the schedule."""

    def __init__(self, config: TrainEvalPipelineConfig, strategy: tf.distribute.Strategy) -> None:
        """Builds the model. Raises UserError when the API cannot, or the first weights do not fit."""
        self._config, self._train, self._strategy = config, config.train_config, strategy
        if self._train.batch_size % strategy.num_replicas_in_sync:
            replicas = strategy.num_replicas_in_sync
            raise UserError(f"batch size {self._train.batch_size}: {replicas} replicas cannot share it evenly")
        with strategy.scope():
            self.model = build(config, is_training=True)
            aggregation = tf.VariableAggregation.ONLY_FIRST_REPLICA
            self._step = tf.Variable(0, trainable=False, dtype=tf.int64, aggregation=aggregation, name="global_step")
            self.optimizer, (self._lr,) = optimizer_builder.build(self._train.optimizer, global_step=self._step)
        dataset = strategy.distribute_datasets_from_function(self._inputs)
        self._batches = iter(dataset)
        if self._train.fine_tune_checkpoint:
            with strategy.scope():
                self._fine_tune(dataset)
        self.checkpoint = tf.train.Checkpoint(step=self._step, model=self.model, optimizer=self.optimizer)
        self._steps = tf.function(self._on_all, autograph=False)  # the API's code is graph code: half the time to trace

    @property
    def iteration(self) -> int:
        """Steps made so far, of all runs of this job."""
        return int(self._step.numpy())  # of several hosts a mirrored variable

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self._lr() if callable(self._lr) else self._lr)

    def step(self, stop: bool) -> dict[str, float]:
        """Make one step; returns the losses by the API's names, and under STOP whether any host was to stop."""
        losses = self._steps(next(self._batches), tf.constant(float(stop)))
        return {name: float(value) for name, value in losses.items()}

    def _inputs(self, context: tf.distribute.InputContext) -> tf.data.Dataset:
        config = self._config
        make = tf.autograph.experimental.do_not_convert(inputs.train_input)
        return make(
            config.train_config, config.train_input_reader, config.model, model=self.model, input_context=context
        )

    def _on_all(self, batch: tuple, stop: tf.Tensor) -> dict[str, tf.Tensor]:
        with self._strategy.scope():
            found = self._strategy.run(self._on_one, args=(*batch, stop))
            return {
                name: self._strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
                for name, value in found.items()
            }

    def _on_one(self, features: Mapping, labels: Mapping, stop: tf.Tensor) -> dict[str, tf.Tensor]:
        losses = model_lib_v2.eager_train_step(
            self.model,
            features,
            labels,
            self._train.unpad_groundtruth_tensors,
            self.optimizer,
            training_step=self._step,
            add_regularization_loss=self._train.add_regularization_loss,
            clip_gradients_value=self._train.gradient_clipping_by_norm or None,
            num_replicas=self._strategy.num_replicas_in_sync,
        )
        self._step.assign_add(1)
        return {**losses, STOP: stop}

    def _fine_tune(self, dataset: tf.distribute.DistributedDataset) -> None:
        train = self._train
        try:
            model_lib_v2.load_fine_tune_checkpoint(
                self.model,
                train.fine_tune_checkpoint,
                train.fine_tune_checkpoint_type,
                train.fine_tune_checkpoint_version,
                True,
                dataset,
                train.unpad_groundtruth_tensors,
            )
        except (AssertionError, OSError, ValueError, tf.errors.OpError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{train.fine_tune_checkpoint}: does not fit this model ({reason})") from error


def build(config: TrainEvalPipelineConfig, is_training: bool) -> DetectionModel:
    """The model of a configuration. Raises UserError when the API cannot build it."""
    try:
        return model_builder.build(config.model, is_training=is_training)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"pipeline.config: {error}") from error


def create_variables(model: DetectionModel) -> None:
    """Let a model that has seen no picture yet make its variables."""
    model.predict(*model.preprocess(tf.zeros([1, 64, 64, 3])))


def losses(values: Mapping[str, float]) -> dict[str, float]:
    """`loss`, `loss_cls` and `loss_box` from the losses by the API's names, whatever the kind of model."""
    parts = {name: value for name, value in values.items() if name.startswith("Loss/")}
    return {
        "loss": parts["Loss/total_loss"],
        "loss_cls": sum(value for name, value in parts.items() if "classification" in name or "objectness" in name),
        "loss_box": sum(value for name, value in parts.items() if "localization" in name),
    }
