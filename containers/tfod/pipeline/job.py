"""The Object Detection API's training job: from the channels to the files of the model."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from detection import report, schedule
from detection.anchors import Anchors
from object_detection.protos.pipeline_pb2 import TrainEvalPipelineConfig
from sagemaker_contract import Environment, StopRequest

from . import channels, config, export, hosts, training, weights
from .channels import Channels
from .evaluation import Evaluator, Pictures
from .events import Events
from .loop import Loop
from .names import STRIDES

TENSORBOARD = "tensorboard"  # below output/: where SageMaker's TensorBoardOutputConfig looks


def run(arguments: argparse.Namespace, environment: Environment, stop: StopRequest) -> None:
    """Train as the arguments say; the first of several hosts writes the files."""
    started = time.perf_counter()
    strategy = hosts.strategy(environment)
    tf.keras.utils.set_random_seed(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="tfod-") as name:
        folder = Path(name)
        data = channels.load(arguments, len(environment.hosts), folder)
        pipeline, fitted = _configure(arguments, data)
        arguments.batch_size = pipeline.train_config.batch_size
        pictures = Pictures(data)
        loop = _loop(arguments, environment, pipeline, pictures, strategy, folder)
        total = pipeline.train_config.num_steps
        period = schedule.evaluation_period(total, arguments.eval_period)
        reason = loop.run(total, period, arguments.log_period, arguments.early_stop, stop)
        if loop.chief:
            loop.read_best()
            export.write(arguments, pipeline, loop.evaluated.model, data, loop.process.iteration)
            iteration = loop.process.iteration
            outcome = report.Outcome(reason, iteration, iteration - loop.first, time.perf_counter() - started)
            versions = {module.__name__: module.__version__ for module in (tf, np)}
            report.write(arguments, environment, data.data, fitted, loop.history, outcome, versions)


def _configure(arguments: argparse.Namespace, data: Channels) -> tuple[TrainEvalPipelineConfig, Anchors | None]:
    first = weights.resolve(arguments)
    pipeline, fitted = config.build(arguments, data, first.config if first else None)
    print(*data.data.lines(), sep="\n")
    if fitted:
        print(*fitted.lines([f"stride {stride}" for stride in STRIDES]), sep="\n")
    if first:
        print(weights.use(first, pipeline, data.data.classes))
    return pipeline, fitted


def _loop(
    arguments: argparse.Namespace,
    environment: Environment,
    pipeline: TrainEvalPipelineConfig,
    pictures: Pictures,
    strategy: tf.distribute.Strategy,
    folder: Path,
) -> Loop:
    process = training.Training(config.windowed(pipeline, arguments.window), strategy)
    model = training.build(pipeline, is_training=False)
    chief = environment.host_rank == 0
    print(f"{arguments.pipeline_config or arguments.model}, {strategy.num_replicas_in_sync} replica(s)", flush=True)
    kept = arguments.work_dir or environment.checkpoint_dir
    keeps = bool(arguments.work_dir) or kept.is_dir()  # SageMaker makes the folder for jobs with a CheckpointConfig
    return Loop(
        process=process,
        evaluated=tf.train.Checkpoint(model=model),
        evaluator=Evaluator(model, pictures) if pictures.records and chief else None,
        events=Events(_events(arguments, environment, keeps)),
        folder=kept if keeps and chief else folder / "checkpoints",
        earlier=kept,
        table=environment.output_data_dir / "history.csv",
        batch_size=arguments.batch_size,
        chief=chief,
    )


def _events(arguments: argparse.Namespace, environment: Environment, keeps: bool) -> Path:
    """Where TensorBoard's curves go: to a place that is in S3 while the job runs, if there is one."""
    watched = environment.base / "output" / TENSORBOARD
    if watched.is_dir():
        return watched
    if keeps:
        return arguments.work_dir or environment.checkpoint_dir
    return environment.output_data_dir / TENSORBOARD
