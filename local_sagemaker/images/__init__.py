"""Images without Docker: a registry of programs (images.toml) and one Python environment for each image."""

from local_sagemaker.images.build import build
from local_sagemaker.images.environments import Environment, measure, remove, unreferenced
from local_sagemaker.images.registry import Image, ImageError, Registry

__all__ = ["Environment", "Image", "ImageError", "Registry", "build", "measure", "remove", "unreferenced"]
