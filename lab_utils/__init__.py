"""Helpers of the Signal Labs notebooks.

The verbs below are loaded on first use, so that the import costs nothing; everything else is in the modules.
"""

from importlib import import_module

_HOME = {
    "build_image": "images",
    "clean_up": "cleanup",
    "compare_models": "comparison",
    "connect": "session",
    "deploy": "endpoints",
    "gate": "gates",
    "latest_training": "earlier",
    "load_dataset": "prepare",
    "register": "endpoints",
    "watch": "jobs",
    "watch_transform": "transform",
    "watch_tuning": "tuning",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
