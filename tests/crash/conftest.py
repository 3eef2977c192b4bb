"""The contract suite's images and clients."""

from contract.conftest import connect, fresh_workspace, images

__all__ = ["connect", "fresh_workspace", "images"]
