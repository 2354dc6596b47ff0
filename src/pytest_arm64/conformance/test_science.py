"""Cases of SciPy, scikit-learn and pandas."""

from __future__ import annotations

from typing import Any

import pytest

from .case import DISPATCH, EXACT_BY_DESIGN, SIMD_MATH, SUMMATION, Case

np: Any = pytest.importorskip("numpy", reason="NumPy is not among the deployed packages")


def library(name: str, package: str) -> Any:
    return pytest.importorskip(name, reason=f"{package} is not among the deployed packages")


def scipy(name: str) -> Any:
    return library(f"scipy.{name}", "SciPy")


def sklearn(name: str) -> Any:
    return library(f"sklearn.{name}", "scikit-learn")


def numbers(*shape: int) -> Any:
    count = int(np.prod(shape))
    return ((np.arange(count, dtype="i8") * 7919 % 2003 - 1001) / 128).reshape(shape)


def points() -> tuple[Any, Any]:
    """Three clouds with labels."""
    labels = np.arange(150) % 3
    return numbers(150, 4) / 4 + 6 * labels[:, None], labels


def machine() -> Any:
    x, y = points()
    return sklearn("svm").SVC(gamma=0.1).fit(x, y > 0), x


def lines() -> Any:
    pd = library("pandas", "pandas")
    return pd.DataFrame({"key": np.arange(60) % 7, "value": numbers(60), "name": list("abc") * 20})


LAPACK = "LAPACK through OpenBLAS"

CASES = [
    Case("SciPy: FFT", lambda: scipy("fft").rfft(numbers(1000)), "fused multiply-add",
         "pocketfft in C++", DISPATCH),
    Case("SciPy: LU", lambda: list(scipy("linalg").lu(numbers(15, 15) + 40 * np.eye(15))),
         LAPACK, SUMMATION, DISPATCH),
    Case("SciPy: matrix exponential", lambda: scipy("linalg").expm(numbers(8, 8) / 50), LAPACK,
         SUMMATION, DISPATCH),
    Case("SciPy: error and gamma functions", lambda: [scipy("special").erf(numbers(200)),
         scipy("special").gammaln(abs(numbers(200)) + 0.5)], "libm and fused multiply-add",
         SIMD_MATH, DISPATCH),
    Case("SciPy: distances", lambda: scipy("spatial.distance").cdist(numbers(20, 5), numbers(9, 5)),
         "order of summation", SUMMATION, DISPATCH),
    Case("SciPy: filter", lambda: scipy("signal").lfilter([0.2, 0.3], [1, -0.4], numbers(300)),
         "fused multiply-add", "C17 6.5: contraction of expressions", DISPATCH),
    Case("SciPy: zoom of an image", lambda: scipy("ndimage").zoom(numbers(12, 12), 1.7),
         "fused multiply-add", "C17 6.5: contraction of expressions", DISPATCH),
    Case("SciPy: quantiles of the normal", lambda: scipy("stats").norm.ppf(np.linspace(0.01, 0.99, 99)),
         "libm", SIMD_MATH, DISPATCH),
    Case("SciPy: minimum", lambda: scipy("optimize").minimize_scalar(lambda x: (x - 2) ** 4).x,
         "an iteration amplifies the last bit", "Stopping depends on differences of f", DISPATCH,
         {"rtol": 1e-6}),
    Case("scikit-learn: SVC, labels and support", lambda: [machine()[0].predict(machine()[1]),
         machine()[0].n_support_, machine()[0].n_iter_], "feared: labels flip", "Integers at a margin"),
    Case("scikit-learn: SVC, decision function", lambda: machine()[0].decision_function(machine()[1]),
         "order of summation in libsvm", SUMMATION, DISPATCH, {"decision": 0.0}),
    Case("scikit-learn: PCA", lambda: sklearn("decomposition").PCA(2, svd_solver="full")
         .fit_transform(points()[0]), LAPACK, SUMMATION, DISPATCH, {"up_to_sign": True}),
    Case("scikit-learn: scaling", lambda: sklearn("preprocessing").StandardScaler()
         .fit_transform(points()[0]), "order of summation", SUMMATION, DISPATCH),
    Case("scikit-learn: k-means, labels", lambda: sklearn("cluster").KMeans(3, n_init=1,
         random_state=0).fit_predict(points()[0]), "feared: labels flip", "Integers at a margin"),
    Case("scikit-learn: linear regression", lambda: sklearn("linear_model").LinearRegression()
         .fit(*points()).coef_, LAPACK, SUMMATION, DISPATCH),
    Case("pandas: groups", lambda: lines().groupby("key")["value"].agg(["mean", "std", "sum"]),
         "feared: order of summation", "pandas sums with compensation, in order", DISPATCH),
    Case("pandas: rolling windows", lambda: lines()["value"].rolling(7).std(),
         "fused multiply-add in online variance", "C17 6.5: contraction", DISPATCH),
    Case("pandas: ranks and order", lambda: [lines()["value"].rank(),
         lines().sort_values("key", kind="stable").index.to_numpy()],
         "feared: ties", EXACT_BY_DESIGN),
    Case("pandas: join and pivot", lines().merge(lines(), on="key")
         .groupby("name_x")["value_y"].count, "feared: hashing", EXACT_BY_DESIGN),
    Case("pandas: dates", lambda: library("pandas", "pandas").to_datetime(
         ["2026-11-23", "1969-12-31"]).astype("datetime64[ns]").to_numpy(),
         "feared: conversions", EXACT_BY_DESIGN),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_science(case: Case, conform: Any) -> None:
    conform(case)
