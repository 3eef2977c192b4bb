"""What a detector reaches that never looks at an image: the floor under every average precision."""

import numpy as np
import pandas as pd

from lab_utils.dataset import XYWH, DetectionDataset


def guesses(
    dataset: DetectionDataset, training: DetectionDataset, *, per_image: int = 100, seed: int = 0
) -> pd.DataFrame:
    """Detections drawn from the training boxes: their classes, sizes and places are right on average, no more.

    Args:
        dataset: gets `per_image` detections an image.
        training: whose boxes are drawn, with replacement, each scaled to the image; at least one box.

    Returns:
        As `Detector.predict_dataset`, the scores random.
    """
    rng = np.random.default_rng(seed)
    images = dataset.images.loc[dataset.images.index.repeat(per_image), ["image_id", "width", "height"]]
    drawn = training.boxes.iloc[rng.integers(len(training.boxes), size=len(images))]
    sizes = training.images.set_index("image_id").loc[drawn["image_id"], ["width", "height"]].to_numpy()
    scale = images[["width", "height"]].to_numpy() / sizes
    boxes = pd.DataFrame(drawn[XYWH].to_numpy() * np.tile(scale, 2), columns=XYWH)
    return boxes.assign(
        image_id=images["image_id"].to_numpy(), class_id=drawn["class_id"].to_numpy(), score=rng.random(len(images))
    )
