"""Success and precision curves by GluonCV's own benchmark. Run in the GluonCV image: `python make_golden.py FOLDER`."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from gluoncv.utils.metrics.tracking import OPEBenchmark


def cases(count: int = 6, frames: int = 40) -> list:
    """Tracks that start on the object and drift, jump or stay."""
    rng = np.random.RandomState(3)
    made = []
    for i in range(count):
        size = rng.uniform(12, 60, 2)
        centre = rng.uniform(100, 300, 2) + np.cumsum(rng.normal(0, 4, (frames, 2)), axis=0)
        sizes = size * np.exp(np.cumsum(rng.normal(0, 0.03, (frames, 1)), axis=0))
        truth = np.hstack([centre - sizes / 2, sizes])
        drift = np.cumsum(rng.normal(0, 0.4 * (i + 1), (frames, 2)), axis=0)
        scale = np.exp(np.cumsum(rng.normal(0, 0.02, (frames, 1)), axis=0))
        boxes = np.hstack([centre + drift - sizes * scale / 2, sizes * scale])
        boxes[0] = truth[0]
        made.append((truth.round(3), boxes.round(3)))
    return made


def main(folder: Path) -> None:
    made = cases()
    dataset = [
        SimpleNamespace(name=str(i), gt_traj=truth, pred_trajs={"t": boxes}) for i, (truth, boxes) in enumerate(made)
    ]
    benchmark = OPEBenchmark(dataset)
    curves = [getattr(benchmark, f"eval_{kind}")("t")["t"] for kind in ("success", "precision", "norm_precision")]
    rows = [
        {"truth": truth.tolist(), "boxes": boxes.tolist(), "curves": [c[str(i)].tolist() for c in curves]}
        for i, (truth, boxes) in enumerate(made)
    ]
    (folder / "ope.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
