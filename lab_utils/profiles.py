"""How much of everything a run uses: `smoke` (tests), `laptop` (default), `full` (the real sizes, for AWS)."""

from dataclasses import dataclass

from lab_utils.errors import ConfigError


@dataclass(frozen=True)
class Profile:
    """Size of the generated data set.

    Attributes:
        sequences: number of recorded approaches, all classes together.
        frames: frames a sequence.
        size: width and height of a frame in pixels.
        images: pictures of the COCO-shaped set.
        longest: the longest side of such a picture in pixels.
        tracks: tracks of the LISA-shaped set.
        track_frames: frames a track, give or take a fifth.
        street: the longest side of the widest such frame in pixels.
    """

    sequences: int
    frames: int
    size: tuple[int, int]
    images: int = 800
    longest: int = 320
    tracks: int = 40
    track_frames: int = 30
    street: int = 512


PROFILES = {
    "smoke": Profile(sequences=21, frames=3, size=(480, 300), images=80, tracks=16, track_frames=5, street=320),
    "laptop": Profile(sequences=126, frames=4, size=(640, 400), images=800),
    "full": Profile(sequences=393, frames=16, size=(1920, 1200), images=5000, longest=640, tracks=220, street=1024),
}


def profile(name: str) -> Profile:
    """The profile of that name; a ConfigError lists the names when there is none."""
    if name not in PROFILES:
        raise ConfigError(f"unknown profile {name!r}: expected one of {', '.join(PROFILES)}")
    return PROFILES[name]
