"""What the notebooks call, against the running server: channels, following a job, endpoints that go away."""

import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from contract.cloud import Cloud, archive, error_of, unique
from lab_utils import channels, endpoints, prepare, s3
from lab_utils.cleanup import clean_up
from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError
from lab_utils.formats import coco
from lab_utils.jobs import TrainingFailedError, watch

SIZE = (32, 24)


@pytest.fixture
def dataset(tmp_path: Path) -> DetectionDataset:
    """Three frames of one sequence: one box with fractions, one negative, two boxes."""
    names = [f"seq/{i}.png" for i in range(3)]
    for i, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((SIZE[1], SIZE[0], 3), i, np.uint8)).save(tmp_path / name)
    images = pd.DataFrame({"image_id": range(3), "file_name": names, "width": SIZE[0], "height": SIZE[1], "group": "a"})
    boxes = pd.DataFrame(
        [(0, 1, 1.25, 2.5, 8.125, 9), (2, 0, 3, 4, 5, 6), (2, 1, 7, 8, 9, 10)],
        columns=["image_id", "class_id", "xmin", "ymin", "width", "height"],
    )
    return DetectionDataset.from_frames(images, boxes, classes=("A", "B"), root=tmp_path, name="three")


def test_channels_read_back_as_they_were_written(lab, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    name = unique("data")
    assert not channels.exists(lab, name)
    channels.upload(lab, dict.fromkeys(channels.SPLITS, dataset), name)
    assert channels.exists(lab, name)
    back = channels.fetch(lab, name, "test")
    assert back.same_content(dataset)
    assert [int(np.asarray(back.open_image(i)).max()) for i in back.images["image_id"]] == [0, 1, 2]


def test_what_is_in_s3_already_is_not_sent_again(lab, dataset):
    uri, file = lab.uri(unique("again")), dataset.root / "seq/1.png"
    assert s3.upload(lab, {"a.png": file}, uri) == 1
    assert s3.upload(lab, {"a.png": file}, uri) == 0
    file.write_bytes(b"changed")
    assert s3.upload(lab, {"a.png": file}, uri) == 1


def test_what_changed_in_s3_is_downloaded_again_and_nothing_else(lab, cloud, tmp_path):
    base = unique("changing")
    cloud.put(f"labs/{base}/a.txt", b"old")
    assert s3.download(lab, lab.uri(base), tmp_path) == 1
    assert s3.download(lab, lab.uri(base), tmp_path) == 0
    os.utime(tmp_path / "a.txt", (1, 1))  # as if S3's were of another time; the size is the same
    cloud.put(f"labs/{base}/a.txt", b"new")
    assert s3.download(lab, lab.uri(base), tmp_path) == 1
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_prepared_data_are_used_again_until_their_source_changes(lab, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    images = pd.concat([dataset.images.assign(image_id=range(i, i + 3)) for i in (0, 3, 6)])
    images["file_name"] = images["group"] = [f"seq/{i}.png" for i in images["image_id"]]
    for i in images["image_id"][3:]:
        Image.fromarray(np.full((SIZE[1], SIZE[0], 3), i, np.uint8)).save(dataset.root / f"seq/{i}.png")
    nine = replace(dataset, images=images)
    source = dataset.root / f"{unique('photos')}.json"
    coco.write(nine, source)
    name = prepare.prepare(lab, f"coco:{source}")
    assert channels.exists(lab, name)
    assert prepare.dataset_name(f"coco:{source}") == name
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "load_dataset", lambda *_, **__: pytest.fail("prepared twice"))
        assert prepare.prepare(lab, f"coco:{source}") == name
    coco.write(replace(nine, boxes=nine.boxes.assign(xmin=nine.boxes["xmin"] + 1)), source)
    changed = prepare.prepare(lab, f"coco:{source}")
    assert changed != name
    parts = [channels.fetch(lab, changed, split) for split in channels.SPLITS]
    assert sorted(x for part in parts for x in part.boxes["xmin"]) == sorted(nine.boxes["xmin"] + 1)


def test_a_source_in_s3_is_named_by_its_objects(lab, cloud):
    base = unique("source")
    cloud.put(f"labs/{base}/a.xml", b"old")
    names = [prepare.dataset_name(f"voc:{lab.uri(base)}", lab=lab)]
    cloud.put(f"labs/{base}/a.xml", b"new")
    names.append(prepare.dataset_name(f"voc:{lab.uri(base)}/", lab=lab))
    assert names[0] != names[1]
    assert all(name.startswith(f"voc-{base}"[:30]) for name in names)


def test_a_prefix_is_a_folder(lab, cloud):
    base = unique("prefix")
    cloud.put(f"labs/{base}/a.txt")
    cloud.put(f"labs/{base}2/b.txt")
    assert list(s3.listing(lab, lab.uri(base))) == ["a.txt"]


def test_nothing_to_download_is_an_error_that_names_the_prefix(lab, tmp_path):
    with pytest.raises(DataError, match=r"nothing in s3://.*/nowhere/"):
        s3.download(lab, lab.uri("nowhere"), tmp_path)


def test_a_pattern_chooses_what_is_downloaded(lab, cloud, tmp_path):
    base = unique("pattern")
    for name in ("train/events.out.tfevents.1", "ckpt-1.index"):
        cloud.put(f"labs/{base}/{name}")
    assert s3.download(lab, lab.uri(base), tmp_path, pattern="*.tfevents.*") == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["events.out.tfevents.1"]
    with pytest.raises(DataError, match=rf"nothing in s3://.*/{base}/ named \*\.onnx"):
        s3.download(lab, lab.uri(base), tmp_path, pattern="*.onnx")


def test_keys_that_lead_out_of_the_folder_are_refused(lab, cloud, tmp_path):
    base = unique("hostile")
    cloud.put(f"labs/{base}/../../evil.txt")
    with pytest.raises(DataError, match="leads out of the folder"):
        s3.download(lab, f"s3://{lab.bucket}/labs/{base}", tmp_path / "in")
    assert not (tmp_path / "evil.txt").exists()


def test_watch_returns_the_log_and_the_model(lab, cloud):
    run = watch(lab, cloud.start({"lines": 3}), live=False)
    assert "first line" in run.log
    assert run.model_data.endswith("/output/model.tar.gz")
    assert run.image == "registry/tiny:1"
    assert s3.size(lab, run.model_data) == len(cloud.get(run.model_data))
    assert run.description["TrainingJobStatus"] == "Completed"


def test_watch_says_why_a_job_failed(lab, cloud):
    with pytest.raises(TrainingFailedError, match=r"(?s)out of track.*first line"):
        watch(lab, cloud.start({"failure": "out of track", "exit": 1}), live=False)


def test_an_endpoint_does_not_outlive_its_block(lab, cloud):
    model = cloud.put("models/x/model.tar.gz", archive({"weights": b"w"}))
    reply = {"pred_boxes": [[1, 2, 4, 6]], "scores": [0.5], "pred_classes": [0]}
    with (
        contextlib.suppress(ZeroDivisionError),
        endpoints.deploy(lab, "registry/tiny:1", model, name="gone") as detector,
    ):
        assert detector.predict(json.dumps(reply).encode())["width"].tolist() == [3]
        1 / 0  # noqa: B018
    assert not cloud.sagemaker.list_endpoints(NameContains=lab.named("gone"))["Endpoints"]
    assert not cloud.sagemaker.list_endpoint_configs(NameContains=lab.named("gone"))["EndpointConfigs"]
    assert not cloud.sagemaker.list_models(NameContains=lab.named("gone"))["Models"]


def test_an_endpoint_that_cannot_start_leaves_nothing_and_says_why(lab, cloud):
    model = cloud.put("models/y/model.tar.gz", archive({"weights": b"w"}))
    with (
        pytest.raises(endpoints.EndpointError, match="Failed"),
        endpoints.deploy(lab, "registry/broken", model, name="stillborn"),
    ):
        pass
    assert not cloud.sagemaker.list_models(NameContains="stillborn")["Models"]


def test_clean_up_ends_what_an_interrupted_lab_left_and_nothing_else(lab, cloud):
    left = f"{lab.named('left')}-1"
    other = cloud.start({"sleep": 60}, TrainingJobName=f"not-{left}")
    cloud.start({"sleep": 60}, TrainingJobName=left)
    model = {"Image": "registry/tiny:1", "ModelDataUrl": cloud.put("models/z/model.tar.gz", archive({"w": b"w"}))}
    cloud.sagemaker.create_model(ModelName=left, PrimaryContainer=model, ExecutionRoleArn=lab.role)
    assert clean_up(lab, "left") == [f"training job {left}", f"model {left}"]
    assert cloud.wait(left)["TrainingJobStatus"] == "Stopped"
    assert cloud.describe(other)["TrainingJobStatus"] == "InProgress"
    cloud.sagemaker.stop_training_job(TrainingJobName=other)
    assert clean_up(lab, "left") == []


def test_an_endpoint_in_progress_is_deleted_when_it_can_be(cloud: Cloud, tmp_path: Path) -> None:
    """SageMaker deletes no endpoint that is being created; clean-up after an interrupted cell meets such ones."""
    ready = tmp_path / "ready"
    name = cloud.deploy(Environment={"UNHEALTHY_UNTIL": str(ready)})
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(endpoints.delete_endpoint, cloud.sagemaker, name, 0.1)
        assert wait([deleting], 0.5).not_done
        ready.touch()
        deleting.result(60)
    assert "Could not find endpoint" in error_of(cloud.sagemaker.describe_endpoint, EndpointName=name)[2]
