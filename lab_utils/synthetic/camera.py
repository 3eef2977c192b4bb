"""Pinhole camera in a driver's cab.

World: x metres to the right of the own track's centre, y metres above the rails, z metres ahead.
Image: u pixels to the right, v pixels down, (0, 0) the top-left corner of the top-left pixel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EYE_HEIGHT = 2.6
FOCAL_PER_WIDTH = 1.4
CURVE_REACH = 350.0


@dataclass(frozen=True)
class Camera:
    """`cx`, `cy` are the vanishing point's pixels; `curvature` (1/m) bends the track."""

    width: int
    height: int
    cx: float
    cy: float
    curvature: float = 0.0

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return FOCAL_PER_WIDTH * self.width

    def scale(self, z: float) -> float:
        """Pixels per metre at `z` metres ahead."""
        return self.focal / z

    def bend(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Lateral shift in metres of the track's centre at `z`: a parabola, straight beyond its reach."""
        near = np.minimum(z, np.float32(CURVE_REACH))
        return np.asarray(np.float32(self.curvature) * near * (z - near / 2), dtype=np.float32)

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Pixel (u, v) of a world point."""
        scale, near = self.focal / z, min(z, CURVE_REACH)
        shift = self.curvature * near * (z - near / 2)
        return self.cx + scale * (x + shift), self.cy - scale * (y - EYE_HEIGHT)
