"""Names and numbers that the programs know before MXNet is imported."""

from dataclasses import dataclass

PARAMS, CONFIG = "siamrpn.params", "tracker.json"
BODY = "backbone."  # of the names of the weights that a network has whatever it tracks
TEMPLATE, SEARCH = "template.onnx", "search.onnx"
NETWORKS = ("small", "siamrpn_alexnet_v2_otb15")
SMALL, ALEXNET = NETWORKS


@dataclass(frozen=True)
class Settings:
    """What a SiamRPN tracker is told beside its weights; the defaults are GluonCV's.

    Sizes in pixels: `exemplar` and `instance` are the sides of the target's and the searched squares, `stride` is the
    network's, an anchor's sides are `stride` times each of `scales`, and `ratios` are height / width. `context` is how
    much of the surroundings the squares show; `penalty_k` punishes changes of size and shape, `window_influence`
    motion, and `lr` is how fast the box's size follows.
    """

    exemplar: int = 127
    instance: int = 287
    stride: int = 8
    ratios: tuple[float, ...] = (0.33, 0.5, 1, 2, 3)
    scales: tuple[float, ...] = (8,)
    penalty_k: float = 0.16
    window_influence: float = 0.4
    lr: float = 0.3
    context: float = 0.5
    base_size: int = 0

    @property
    def anchors(self) -> int:
        """At each place of the score map."""
        return len(self.ratios) * len(self.scales)

    def score_size(self, side: int) -> int:
        """Side of the score map of a searched square of `side` pixels."""
        return (side - self.exemplar) // self.stride + 1 + self.base_size
