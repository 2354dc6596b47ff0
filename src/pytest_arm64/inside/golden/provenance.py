"""What a golden was computed by: processor, dispatch and versions, asked inside the process."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import re
import sys
from collections.abc import Mapping

from ..ran import Ran
from .lazily import loaded

_LIBRARIES = (
    *("numpy", "scipy", "PIL", "cv2", "sklearn", "skimage", "pandas", "polars", "torch"),
    *("imagehash", "pywt", "numba", "pyarrow", "tensorflow", "onnxruntime", "xgboost", "lightgbm"),
)
"""Modules whose numbers differ between versions."""
_CORE_NAMES = (
    *("scipy_openblas_get_corename64_", "scipy_openblas_get_corename"),
    *("openblas_get_corename64_", "openblas_get_corename"),
)


def provenance(ran: Ran) -> dict[str, object]:
    """The provenance of values that this process computes, in a cell that *ran* describes."""
    return {
        "machine": platform.machine(),
        "cpu": _cpu(),
        "emulated": ran.emulated,
        "core": ran.core or None,
        "target": ran.target or None,
        "image": ran.image or None,
        "digest": ran.digest or ran.image_id or None,
        "os": ran.os or None,
        "libc": " ".join(platform.libc_ver()),
        "numpy_features": numpy_features(),
        "numpy_dispatch": numpy_dispatch(),
        "blas": blas_cores(),
        "cv2": _cv2(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the loaded libraries that compute."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        version = getattr(loaded(name), "__version__", None)
        if isinstance(version, str):
            found[name] = version
    return found


def version_changes(recorded: Mapping[str, object]) -> tuple[str, ...]:
    """Libraries loaded here that have another version than *recorded*, in words."""
    before = recorded.get("versions")
    if not isinstance(before, Mapping):
        return ()
    here = versions()
    return tuple(
        f"{name} {here[name]} against {before[name]}"
        for name in sorted(here.keys() & before.keys())
        if here[name] != before[name] and name != "python"
    ) + _python_change(here, before)


def _python_change(here: Mapping[str, str], before: Mapping[str, object]) -> tuple[str, ...]:
    ours, theirs = here["python"], str(before.get("python", ""))
    if ours.split(".")[:2] == theirs.split(".")[:2]:
        return ()
    return (f"python {ours} against {theirs}",)


def numpy_features() -> list[str]:
    """SIMD features that NumPy uses here, as it names them; empty where it is not loaded."""
    core = loaded("numpy._core._multiarray_umath") or loaded("numpy.core._multiarray_umath")
    enabled = getattr(core, "__cpu_features__", {})
    return sorted(name for name, on in enabled.items() if on)


def numpy_dispatch() -> list[str]:
    """Those of NumPy's features that can be switched off, as it was not built to need them."""
    core = loaded("numpy._core._multiarray_umath") or loaded("numpy.core._multiarray_umath")
    enabled = numpy_features()
    return [name for name in getattr(core, "__cpu_dispatch__", ()) if name in enabled]


def blas_cores() -> list[str]:
    """The cores that the loaded OpenBLAS libraries have picked their kernels for."""
    return sorted({core for path in _mapped("openblas") if (core := _core_of(path)) is not None})


@functools.cache
def _core_of(path: str) -> str | None:
    """The core that a loaded OpenBLAS has picked, which it does once; None if it does not tell."""
    library = ctypes.CDLL(path)
    for name in _CORE_NAMES:
        function = getattr(library, name, None)
        if function is not None:
            function.restype = ctypes.c_char_p
            return (function() or b"?").decode("ascii", "replace")
    return None


def _mapped(word: str) -> list[str]:
    """Files with *word* in their names that are mapped into this process (Linux)."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            paths = {line.split(maxsplit=5)[5].strip() for line in maps if word in line}
    except (OSError, IndexError):
        return []
    return sorted(path for path in paths if word in os.path.basename(path))


def _cv2() -> list[str]:
    """SIMD lines of OpenCV's build information."""
    cv2 = loaded("cv2")
    if cv2 is None:
        return []
    pattern = r"^\s*(Baseline|Dispatched code generation|CPU/HW features)\s*:\s*(.*)$"
    return [
        f"{name}: {value.strip()}"
        for name, value in re.findall(pattern, cv2.getBuildInformation(), re.MULTILINE)
    ]


def _cpu() -> str:
    """Name of the processor; under user-mode emulation the file tells the host's."""
    if sys.platform.startswith("linux"):
        try:
            with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
                found = re.search(
                    r"^(?:model name|CPU part)\s*:\s*(.+)$", file.read(), re.MULTILINE
                )
        except OSError:
            found = None
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()
