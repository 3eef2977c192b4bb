"""Where things are on this machine."""

import os
from pathlib import Path

from lab_utils.errors import ConfigError


def project() -> Path:
    """The checkout that holds `containers/images.toml`: above this package, or above the current folder.

    Raises:
        ConfigError: there is no checkout, as when only the package was installed.
    """
    starts = (Path(__file__).resolve().parent, Path.cwd())
    for folder in (f for start in starts for f in (start, *start.parents)):
        if (folder / "containers" / "images.toml").is_file():
            return folder
    raise ConfigError("no Signal Labs checkout found: run this inside a clone (containers/images.toml is missing)")


def home() -> Path:
    """Generated data, downloads and the embedded SageMaker's state: `LABS_HOME`, else `.labs` in the checkout."""
    folder = os.environ.get("LABS_HOME")
    return Path(folder).expanduser().resolve() if folder else project() / ".labs"


def workspace() -> Path:
    """The embedded SageMaker's workspace: `LABS_WORKSPACE`, else `sagemaker` in `home()`."""
    folder = os.environ.get("LABS_WORKSPACE")
    return Path(folder).expanduser().resolve() if folder else home() / "sagemaker"
