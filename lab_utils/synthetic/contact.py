"""One picture of what the generator makes: a row a class, the train coming nearer from left to right."""

from PIL import Image

from .chassis import CHASSIS
from .scene import Scene
from .sequences import make_spec

_ROWS = (
    ("day", "clear"),
    ("day", "rain"),
    ("dusk", "clear"),
    ("night", "clear"),
    ("day", "fog"),
    ("night", "rain"),
    ("day", "snow"),
)
_STEP = 6


def contact_sheet(seed: int = 0, columns: int = 3, tile: tuple[int, int] = (224, 140)) -> Image.Image:
    """The seven classes, each in another light and weather; levels are rounded, or noise would swell the file."""
    sheet = Image.new("RGB", (columns * tile[0], len(CHASSIS) * tile[1]))
    for row, (name, (light, weather)) in enumerate(zip(CHASSIS, _ROWS, strict=True)):
        scene = Scene(make_spec((seed, row), name, light=light, weather=weather, frames=columns))
        for column in range(columns):
            picture = Image.fromarray(scene.frame(column).rgb).resize(tile, Image.Resampling.LANCZOS)
            sheet.paste(picture, (column * tile[0], row * tile[1]))
    return sheet.point(lambda level: level // _STEP * _STEP + _STEP // 2)
