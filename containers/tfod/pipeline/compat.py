"""Let the Object Detection API 2.8 run with TensorFlow 2.15. Call `prepare()` before importing `object_detection`."""

import os
import sys
import types
import warnings

# Before TensorFlow is imported: its C++ half tells of every CPU instruction and missing GPU.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


class _Absent(types.ModuleType):
    """TensorFlow I/O (190 MB), which the API imports for the DeepMAC model's colours alone."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(f"tensorflow_io.{name}: not installed in this image; no family of this program needs it")


def prepare() -> None:
    """Give TensorFlow and Keras the names back that the API looks for, and quieten what nobody can change."""
    import absl.logging

    absl.logging.set_verbosity(absl.logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(tf_slim|object_detection|official|keras)\b")
    import keras.applications.resnet
    from keras.src.applications import resnet
    from tensorflow.python.ops import cond, control_flow_case, control_flow_ops
    from tensorflow.python.util import deprecation

    deprecation._PRINT_DEPRECATION_WARNINGS = False
    control_flow_ops.case, control_flow_ops.cond = control_flow_case.case, cond.cond  # moved in 2.13
    keras.applications.resnet.ResNet = resnet.ResNet  # no longer public
    sys.modules.setdefault("tensorflow_io", _Absent("tensorflow_io"))


def main() -> None:
    """Run a module of the API with these names: `python -m pipeline.compat object_detection.MODULE ARGUMENT...`."""
    import runpy

    prepare()
    sys.argv.pop(0)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
