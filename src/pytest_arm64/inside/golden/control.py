"""The control run: the same x86 with its widest SIMD masked, to see where it moves by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# The oldest core that every OpenBLAS for x86-64 still has kernels for: SSE4.2, no AVX, no FMA.
BLAS_CORE = "Nehalem"
# What glibc's libm dispatches on.
LIBC = "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA"


def narrower(provenances: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Variables under which the libraries of *provenances* use their narrowest SIMD."""
    numpy: dict[str, None] = {}
    cv2: dict[str, None] = {}
    for about in provenances:
        numpy.update(dict.fromkeys(str(name) for name in _listed(about, "numpy_dispatch")))
        for line in _listed(about, "cv2"):
            name, _, value = str(line).partition(":")
            if name.startswith("Dispatched"):
                cv2.update(dict.fromkeys(value.split()))
    variables = {"OPENBLAS_CORETYPE": BLAS_CORE, "GLIBC_TUNABLES": LIBC}
    if numpy:
        variables["NPY_DISABLE_CPU_FEATURES"] = " ".join(numpy)
    if cv2:
        variables["OPENCV_CPU_DISABLE"] = ",".join(cv2)
    return variables


def _listed(provenance: Mapping[str, object], key: str) -> list[object]:
    value = provenance.get(key)
    return value if isinstance(value, list) else []
