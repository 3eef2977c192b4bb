"""Video in and out: what phones, cameras and interrupted programs leave."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from lab_utils.errors import ConfigError, DataError
from lab_utils.tracking import Video, VideoWriter, write_video

from . import videos


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = videos.make(tmp_path / "a.mp4", frames=7)
    video = Video.open(path)
    assert (video.width, video.height, video.fps, video.count) == (64, 48, 25, 7)
    frames = list(video)
    assert [round(frame.seconds * 25) for frame in frames] == list(range(7))
    for index, frame in enumerate(frames):
        assert np.abs(frame.rgb.astype(int) - videos.marked(index)).mean() < 12
    assert np.array_equal(video.frame(3), frames[3].rgb)
    with pytest.raises(IndexError, match="no frame 7"):
        video.frame(7)


def test_browsers_play_it(tmp_path: Path) -> None:
    path = videos.make(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"moof" not in content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 49), (33, 31)])
def test_an_odd_size_grows_by_a_repeated_edge(tmp_path: Path, width: int, height: int) -> None:
    video = Video.open(videos.make(tmp_path / "a.mp4", width=width, height=height))
    assert (video.width, video.height) == (width + width % 2, height + height % 2)


def test_a_rotation_is_applied(tmp_path: Path) -> None:
    path = videos.patched(videos.make(tmp_path / "a.mp4"), videos.IDENTITY, videos.IDENTITY)
    upright = Video.open(path).frame(0)
    content = path.read_bytes()
    at = content.index(videos.IDENTITY, content.index(b"tkhd"))  # the first is mvhd's
    path.write_bytes(content[:at] + videos.QUARTER_TURN + content[at + 36 :])
    video = Video.open(path)
    assert (video.width, video.height) == (48, 64)
    assert np.array_equal(video.frame(0), np.rot90(upright, -1))
    assert video.frame(0)[5, 42].tolist()[0] > 180  # red has gone to the top right


def test_variable_frame_rate_is_kept(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.21, 1.0]
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for index, seconds in enumerate(times):
            writer.write(videos.marked(index), seconds)
    read = [frame.seconds for frame in Video.open(tmp_path / "a.mp4")]
    assert read == pytest.approx(times, abs=1e-4)


def test_time_stamps_that_stand_still_or_go_back_still_give_every_frame(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for index, seconds in enumerate([0.0, 0.1, 0.1, 0.05, 0.3]):
            writer.write(videos.marked(index), seconds)
    seen = [frame.seconds for frame in Video.open(tmp_path / "a.mp4")]
    assert len(seen) == 5
    assert seen == sorted(seen)


def test_no_frame_gives_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no frame to write"):
        write_video(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_the_old_file_and_a_playable_part_of_the_new(tmp_path: Path) -> None:
    path = videos.make(tmp_path / "a.mp4", frames=3)
    old = path.read_bytes()
    writer = VideoWriter(path)
    with pytest.raises(KeyboardInterrupt):
        _write_and_stop(writer, frames=10)
    assert path.read_bytes() == old
    assert len(list(Video.open(writer.partial))) == 10


def _write_and_stop(writer: VideoWriter, frames: int) -> None:
    with writer:
        for index in range(frames):
            writer.write(videos.marked(index))
        raise KeyboardInterrupt


def test_a_killed_program_leaves_a_playable_file(tmp_path: Path) -> None:
    program = (
        "import sys; from lab_utils.tracking import VideoWriter; import numpy as np\n"
        "with VideoWriter(sys.argv[1]) as writer:\n"
        "    while True:\n"
        "        writer.write(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))\n"
        "        print(writer.frames, flush=True) if writer.frames == 300 else None\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, tmp_path / "a.mp4"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "a.mp4").exists()
    assert len(list(Video.open(tmp_path / "a.partial.mp4"))) >= 200


def test_frames_must_look_like_the_first(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4")
    writer.write(videos.marked(0))
    with pytest.raises(ValueError, match="the first had 64 columns"):
        writer.write(videos.marked(1, width=80))
    with pytest.raises(ValueError, match="expected an RGB frame"):
        VideoWriter(tmp_path / "b.mp4").write(np.zeros((4, 4)))


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file"), (b"", "not a video"), (b"not a video at all" * 99, "not a video")],
)
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f"a.mp4: {said}"):
        Video.open(path)


def test_a_video_that_was_cut_off_before_its_index_is_named(tmp_path: Path) -> None:
    path = videos.make(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"a\.mp4: "):
        Video.open(path)


def test_sound_alone_is_not_video(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(DataError, match="no video in it"):
        Video.open(path)


def test_a_container_without_frames_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(DataError, match=r"a\.mkv: (not a video|a video without frames)"):
        Video.open(path)


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    path = videos.patched(videos.make(tmp_path / "a.mp4"), b"avc1\0", b"zzzz\0")
    with pytest.raises(DataError, match="no decoder for its codec"):
        Video.open(path)


def test_a_missing_encoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(ConfigError, match=r"no H\.264 encoder"):
        videos.make(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_frame_is_named_after_those_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for index in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(videos.marked(index))))
        container.mux(stream.encode(None))
    content = bytearray(path.read_bytes())
    at = [i for i in range(len(content)) if content[i : i + 4] == b"IHDR"][2]
    content[at : at + 12] = bytes(12)
    path.write_bytes(content)
    frames = iter(Video.open(path))
    assert [next(frames).rgb.shape, next(frames).rgb.shape] == [(48, 64, 3)] * 2
    with pytest.raises(DataError, match=r"a\.avi: frame 2 cannot be decoded"):
        next(frames)


def test_other_names_than_mp4_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.mp4"):
        VideoWriter(tmp_path / "a.avi")


def test_reading_is_a_stream(tmp_path: Path) -> None:
    path = videos.make(tmp_path / "a.mp4", frames=400, width=320, height=240)
    start = time.process_time()
    next(iter(Video.open(path)))
    first = time.process_time() - start
    list(Video.open(path))
    assert first < time.process_time() - start - first
