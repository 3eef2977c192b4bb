"""Railway scenes with FRSign's seven chassis classes, rendered in sequences as a train approaches its signals.

`generate` makes a data set in FRSign v1.0's layout. `render_sequence` and `render_frame` render a
`SequenceSpec`, which `make_spec` draws at random, to arrays: any size, any number of frames.
`generate_clips` makes video with ground truth for tracking. `python -m lab_utils.synthetic --contact-sheet
images/contact_sheet.png` renders the contact sheet, `... --seed 4 --clip sample_media/approach.mp4` the sample clip.
"""

from .chassis import CHASSIS
from .clips import generate_clips
from .generate import generate
from .scene import Frame, Scene, render_frame, render_sequence
from .sequences import SequenceSpec, make_spec

__all__ = [
    "CHASSIS",
    "Frame",
    "Scene",
    "SequenceSpec",
    "generate",
    "generate_clips",
    "make_spec",
    "render_frame",
    "render_sequence",
]
