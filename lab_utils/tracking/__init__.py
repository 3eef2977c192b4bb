"""Tracking in video: clips with ground truth, trackers behind one interface, and what the field measures of them.

Frames are RGB uint8 [height, width, 3]. A box is (xmin, ymin, width, height) in pixels of the upright frame, origin top
left, as floats. Videos are read and written as streams: memory does not grow with their length.
"""

from .clips import Clip, find_clips, read_annotations, write_annotations
from .tracker import Box, Observation, Step, Tracker, track
from .video import Video
from .writer import VideoWriter, write_video

__all__ = [
    "Box",
    "Clip",
    "Observation",
    "Step",
    "Tracker",
    "Video",
    "VideoWriter",
    "find_clips",
    "read_annotations",
    "track",
    "write_annotations",
    "write_video",
]
