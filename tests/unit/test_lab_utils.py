"""The package's front: exports, profiles, paths, S3 URIs."""

import subprocess
import sys

import pytest

import lab_utils
from lab_utils import paths, s3
from lab_utils.errors import ConfigError
from lab_utils.profiles import PROFILES, profile


def test_every_exported_verb_exists():
    assert all(callable(getattr(lab_utils, name)) for name in lab_utils.__all__)


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        lab_utils.conect  # noqa: B018


def test_import_loads_no_heavy_package():
    program = "import sys, lab_utils; print([m for m in ('numpy', 'pandas', 'boto3', 'sagemaker') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_unknown_profile_lists_the_known():
    with pytest.raises(ConfigError, match=r"'huge'.*smoke, laptop, full"):
        profile("huge")


def test_profiles_grow():
    pixels = [p.sequences * p.frames * p.size[0] * p.size[1] for p in PROFILES.values()]
    assert pixels == sorted(pixels)


def test_home_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("LABS_HOME", str(tmp_path))
    monkeypatch.delenv("LABS_WORKSPACE", raising=False)
    assert paths.workspace() == tmp_path / "sagemaker"


@pytest.mark.parametrize("uri", ["bucket/key", "http://bucket/key", "s3:///key", ""])
def test_not_an_s3_uri(uri):
    with pytest.raises(ConfigError, match="not an S3 URI"):
        s3.parse(uri)


def test_s3_uri():
    assert s3.parse("s3://bucket/a/b") == ("bucket", "a/b")
