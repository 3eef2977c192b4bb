"""One training job of a tracker, from the clips to the files of the model."""

import argparse
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import gluoncv
import mxnet as mx
import numpy as np
from detection import metric_lines, report, schedule
from detection.files import write_json
from detection.history import History
from gluoncv.model_zoo.siamrpn.siam_net import SiamRPN
from sagemaker_contract import Environment, StopRequest, UserError
from ssd import checkpoints
from ssd.training import contexts

from . import clips, crops, evaluation, export, networks, pairs, weights
from .arguments import settings as settings_of
from .names import BODY, CONFIG, PARAMS, Settings
from .training import Training


@dataclass
class Parts:
    """What a job works with; `network` is trained, `tracker` has the same weights and tracks."""

    arguments: argparse.Namespace
    environment: Environment
    stop: StopRequest
    settings: Settings
    context: mx.Context
    training: list[clips.Clip]
    validation: list[clips.Clip]
    network: SiamRPN
    tracker: SiamRPN
    history: History

    @property
    def keeps(self) -> bool:
        """SageMaker makes the folder for jobs with a CheckpointConfig."""
        return self.environment.checkpoint_dir.is_dir()


def run(arguments: argparse.Namespace, environment: Environment, stop: StopRequest) -> None:
    """Train as the arguments say and write the model's files."""
    started = time.perf_counter()
    parts = _prepare(arguments, environment, stop)
    process = Training(parts.network, _pairs(parts), parts.context, arguments)
    before = _resume(parts, process)
    reason = _train(parts, process)
    learned = _write_model(parts)
    outcome = report.Outcome(reason, process.iteration, process.iteration - before, time.perf_counter() - started)
    versions = {"mxnet": mx.__version__, "gluoncv": gluoncv.__version__, "numpy": np.__version__}
    report.write_summary(arguments, environment, learned, parts.history, outcome, versions)


def _prepare(arguments: argparse.Namespace, environment: Environment, stop: StopRequest) -> Parts:
    training = clips.load(Path(arguments.training_channel))
    validation = clips.load(Path(arguments.validation_channel)) if arguments.validation_channel else []
    for split, found in (("training", training), ("validation", validation)):
        targets = sum(len(clip.tracks) for clip in found)
        print(f"{split}: {len(found)} clips, {sum(clip.count for clip in found)} frames, {targets} targets")
    settings, context = settings_of(arguments), contexts(arguments.device, 1)[0]
    path = weights.resolve(arguments)
    network = _network(arguments, settings, arguments.batch_size, arguments.search_side, context)
    tracker = _network(arguments, settings, 1, arguments.instance_side, context)
    tracker.backbone.hybridize(static_alloc=True)
    tracker.rpn_head.hybridize(static_alloc=True)
    if path:
        taken, new = checkpoints.load_weights(network, path, BODY)
        print(f"weights: {taken} tensors of {path}; new: {', '.join(new) or 'none'}")
    print(f"{arguments.network}, width {arguments.width:g}, {context}", flush=True)
    history = History(ranking=("auc", "mean_iou"))
    return Parts(arguments, environment, stop, settings, context, training, validation, network, tracker, history)


def _network(arguments: argparse.Namespace, settings: Settings, batch: int, side: int, context: mx.Context) -> SiamRPN:
    network = networks.build(settings, arguments.width, arguments.hidden, batch, side, context)
    networks.initialize(network, settings, side, context, arguments.seed)
    return network


def _pairs(parts: Parts) -> pairs.Pairs:
    given, settings = parts.arguments, parts.settings
    side = pairs.crop_side(given.search_side, given.shift, given.scale_jitter)
    targets = crops.collect(parts.training, side, given.frames_per_track, settings)
    if not targets:
        raise UserError(f"{given.training_channel}: no target is seen by half in any frame, expected visibility 0.5")
    seen, gone = (sum(len(getattr(target, kind)) for target in targets) for kind in ("seen", "gone"))
    print(f"squares: {seen} with a target, {gone} where one was", flush=True)
    how = pairs.Draw(
        shift=given.shift,
        scale=given.scale_jitter,
        blur=given.blur,
        colour=given.colour_jitter,
        grey=given.grey,
        flip=given.flip,
        negative=given.negatives,
        frame_range=given.frame_range,
    )
    return pairs.Pairs(targets, settings, given.search_side, how, given.batch_size, given.seed)


def _resume(parts: Parts, process: Training) -> int:
    """The iteration to go on with: 0, or where an interrupted run of this job ended."""
    folder = parts.environment.checkpoint_dir
    meta = checkpoints.load_state(folder, parts.network, process.optimizer)
    if meta is None:
        return 0
    process.iteration = meta["iteration"]
    parts.history.rows.extend(meta["history"])
    if parts.history.rows:
        parts.arguments.model_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / PARAMS, parts.arguments.model_dir)
    print(f"going on after iteration {process.iteration}", flush=True)
    return process.iteration


def _train(parts: Parts, process: Training) -> str:
    """Run the iterations; returns why they ended."""
    given = parts.arguments
    period = schedule.evaluation_period(given.iterations, given.eval_period)
    while process.iteration < given.iterations:
        left = process.run(min(given.iterations, (process.iteration // period + 1) * period), parts.stop)
        if parts.validation and not left:
            _evaluate(parts, process)
        _checkpoint(parts, process)
        if left:
            return "stop requested"
        if parts.history.stalled(given.early_stop):
            return f"no better AUC in {given.early_stop} evaluations"
    return "all iterations done"


def _evaluate(parts: Parts, process: Training) -> None:
    networks.copy(parts.network, parts.tracker)
    values = evaluation.figures(_follow(parts))
    better = parts.history.add(process.iteration, values)
    print(metric_lines.line("validation", process.iteration, values), flush=True)
    parts.history.write_csv(parts.environment.output_data_dir / "history.csv")
    folders = [parts.arguments.model_dir, *([parts.environment.checkpoint_dir] if parts.keeps else [])]
    for folder in folders if better else ():
        checkpoints.save_weights(parts.network, folder / PARAMS)


def _follow(parts: Parts) -> list[evaluation.Run]:
    return [evaluation.follow(parts.tracker, parts.settings, clip, parts.context) for clip in parts.validation]


def _checkpoint(parts: Parts, process: Training) -> None:
    if parts.keeps:
        meta = {"iteration": process.iteration, "history": parts.history.rows}
        checkpoints.save_state(parts.environment.checkpoint_dir, parts.network, process.optimizer, meta)


def _write_model(parts: Parts) -> dict[str, object]:
    """The best weights, or the last without an evaluation, in all the forms that a model directory holds."""
    folder, given = parts.arguments.model_dir, parts.arguments
    if parts.history.rows:
        checkpoints.load_weights(parts.network, folder / PARAMS, BODY)
    else:
        checkpoints.save_weights(parts.network, folder / PARAMS)
    networks.copy(parts.network, parts.tracker)
    difference = export.write(parts.tracker, parts.settings, folder)
    print(f"template.onnx, search.onnx: differ from MXNet by {difference:.1g}")
    content = {
        "network": given.network,
        "width": given.width,
        "hidden": given.hidden,
        **asdict(parts.settings),
        "scores": evaluation.score_thresholds(_follow(parts)) if parts.validation else evaluation.UNKNOWN,
    }
    write_json(folder / CONFIG, content)
    clips_of = {split: [clip.path.name for clip in getattr(parts, split)] for split in ("training", "validation")}
    return {"clips": clips_of, "scores": content["scores"]}
