"""Cases of SciPy, scikit-learn and pandas."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest

from .case import (
    DISPATCH,
    EXACT_BY_DESIGN,
    SIMD_MATH,
    SUMMATION,
    UNDEFINED_CAST,
    Case,
    Lazily,
    cases,
)
from .case import numbers as values

np: Any = Lazily("numpy")
pd: Any = Lazily("pandas")


def scipy(name: str) -> Any:
    return Lazily(f"scipy.{name}")


def sklearn(name: str) -> Any:
    return Lazily(f"sklearn.{name}")


def numbers(*shape: int) -> Any:
    return values(*shape, over=128)


def points() -> tuple[Any, Any]:
    """Three clouds with labels."""
    labels = np.arange(150) % 3
    return numbers(150, 4) / 4 + 6 * labels[:, None], labels


def machine() -> Any:
    x, y = points()
    return sklearn("svm").SVC(gamma=0.1).fit(x, y > 0), x


def banded() -> Any:
    return (
        scipy("sparse")
        .diags_array(
            [np.full(39, -1.3), np.arange(40) + 5.0, np.full(39, -1.3)], offsets=[-1, 0, 1]
        )
        .tocsr()
    )


def squared() -> Any:
    return (banded() @ banded()).toarray()


def forest() -> Any:
    return sklearn("ensemble").RandomForestClassifier(8, random_state=0).fit(*points())


def lines() -> Any:
    return pd.DataFrame({"key": np.arange(60) % 7, "value": numbers(60), "name": list("abc") * 20})


LAPACK = "LAPACK through OpenBLAS"

CASES = [
    *cases("SciPy",
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
    Case("SciPy: sparse solve", lambda: scipy("sparse.linalg").spsolve(banded().tocsc(), numbers(40)),
         "order of elimination in SuperLU", "SciPy: SuperLU through BLAS", DISPATCH),
    Case("SciPy: sparse product", squared,
         "feared: order of summation",
         "sums in order, with contraction", DISPATCH),
    Case("SciPy: sparse eigenvalues", lambda: np.sort(scipy("sparse.linalg").eigsh(banded(), 4,
         v0=np.ones(40), return_eigenvectors=False)), "an iteration amplifies the last bit",
         "ARPACK: results depend on rounding", DISPATCH, {"rtol": 1e-9}),
    Case("SciPy: conjugate gradients", lambda: scipy("sparse.linalg").cg(banded(), np.ones(40))[0],
         "an iteration amplifies the last bit", "Stopping depends on a norm", DISPATCH, {"rtol": 1e-6}),
    Case("SciPy: cubic spline", lambda: scipy("interpolate").CubicSpline(np.arange(20.0),
         numbers(20))(np.linspace(0, 19, 50)), "banded solve through LAPACK", SUMMATION, DISPATCH),
    Case("SciPy: quadrature", lambda: scipy("integrate").quad(math.cos, 0, 1.3)[0], "libm",
         SIMD_MATH, DISPATCH),
    Case("SciPy: differential equation", lambda: scipy("integrate").solve_ivp(
         lambda _, y: [y[1], -y[0]], (0, 6), [1.0, 0.0], t_eval=np.arange(0, 6.0)).y,
         "an adaptive step follows the last bits", "Dormand-Prince with error control", DISPATCH,
         {"rtol": 1e-9, "atol": 1e-9}),
    Case("SciPy: nearest neighbours", lambda: list(scipy("spatial").cKDTree(numbers(200, 3))
         .query(numbers(9, 3) + 0.01, 3)), "feared: ties between neighbours",
         "integers of a search; distances are rounded", DISPATCH),
    Case("SciPy: clusters of a tree", lambda: scipy("cluster.hierarchy").fcluster(
         scipy("cluster.hierarchy").linkage(points()[0], "ward"), 3, "maxclust"),
         "feared: labels flip", "Integers at a margin"),
    Case("SciPy: assignment", lambda: list(scipy("optimize").linear_sum_assignment(numbers(12, 12))),
         "feared: another of equal solutions", EXACT_BY_DESIGN),
    Case("SciPy: least squares", lambda: scipy("optimize").least_squares(
         lambda p: p[0] * np.exp(-p[1] * np.arange(9.0)) - [9, 5, 3, 2, 1, 1, 0, 0, 0], [8.0, 0.4]).x,
         "an iteration amplifies the last bit", "Stopping depends on differences", DISPATCH,
         {"rtol": 1e-6}),
    Case("SciPy: Bessel, beta and logistic functions", lambda: [scipy("special").jv(1.5, abs(numbers(60))),
         scipy("special").betainc(2.0, 3.0, np.linspace(0, 1, 30)), scipy("special").expit(numbers(60)),
         scipy("special").logsumexp(numbers(60))], "libm and fused multiply-add", SIMD_MATH, DISPATCH),
    Case("SciPy: t-test", lambda: list(scipy("stats").ttest_ind(numbers(40), numbers(60)[20:] + 0.3)),
         "libm in the tail of a distribution", SIMD_MATH, DISPATCH),
    Case("SciPy: convolution by FFT", lambda: scipy("signal").fftconvolve(numbers(200), numbers(31)),
         "fused multiply-add in butterflies", "pocketfft in C++, compiled with contraction", DISPATCH),
    Case("SciPy: cosine transform", lambda: scipy("fft").dctn(numbers(32, 32), norm="ortho"),
         "fused multiply-add in butterflies", "pocketfft in C++, compiled with contraction", DISPATCH),
    Case("SciPy: Gaussian filter and labels", lambda: [scipy("ndimage").gaussian_filter(numbers(20, 20), 1.3),
         scipy("ndimage").label(numbers(20, 20) > 2)[0]], "fused multiply-add", "C17 6.5: contraction",
         DISPATCH),
    Case("SciPy: triangulation", lambda: np.sort(scipy("spatial").Delaunay(numbers(30, 2)).simplices),
         "feared: a predicate's sign", "Qhull merges facets by distance",
         policy={"order": "any"}),
    ),
    *cases("scikit-learn",
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
    Case("scikit-learn: random forest", lambda: forest().predict_proba(points()[0]),
         "feared: a split at a tie", "Trees compare float32 features; splits are chosen by float64 sums",
         DISPATCH),
    Case("scikit-learn: gradient boosting", lambda: sklearn("ensemble").HistGradientBoostingClassifier(
         max_iter=5, random_state=0).fit(*points()).predict(points()[0]), "order of sums by threads",
         "Histogram sums in float64, split over OpenMP threads"),
    Case("scikit-learn: nearest neighbours", lambda: list(sklearn("neighbors").NearestNeighbors(
         n_neighbors=3).fit(points()[0]).kneighbors(points()[0][:20] + 0.01)),
         "feared: ties between neighbours", "Distances through a matrix product", DISPATCH),
    Case("scikit-learn: logistic regression", lambda: sklearn("linear_model").LogisticRegression()
         .fit(*points()).predict(points()[0]), "an iteration amplifies the last bit", "L-BFGS"),
    Case("scikit-learn: DBSCAN", lambda: sklearn("cluster").DBSCAN(eps=3.0).fit_predict(points()[0]),
         "feared: labels flip", "Integers at a margin"),
    Case("scikit-learn: truncated SVD", lambda: sklearn("decomposition").TruncatedSVD(2,
         random_state=0).fit_transform(points()[0]), LAPACK, SUMMATION, DISPATCH,
         {"sign": "any", "rtol": 1e-8, "atol": 1e-8}),
    Case("scikit-learn: words", lambda: sklearn("feature_extraction.text").TfidfVectorizer()
         .fit_transform(["one two", "two three three", "one"]).toarray(), "libm's logarithm", SIMD_MATH,
         DISPATCH),
    Case("scikit-learn: hashed words", lambda: sklearn("feature_extraction.text").HashingVectorizer(
         n_features=16, norm=None).fit_transform(["one two", "three"]).toarray(),
         "feared: MurmurHash3 of a plain char", EXACT_BY_DESIGN),
    Case("scikit-learn: Gaussian mixture", lambda: sklearn("mixture").GaussianMixture(3,
         random_state=0).fit_predict(points()[0]), "feared: labels flip", "Integers at a margin"),
    Case("scikit-learn: isolation forest", lambda: sklearn("ensemble").IsolationForest(
         n_estimators=10, random_state=0).fit_predict(points()[0]), "feared: a threshold",
         "Trees compare float32 features"),
    ),
    *cases("pandas",
    Case("pandas: groups", lambda: lines().groupby("key")["value"].agg(["mean", "std", "sum"]),
         "feared: order of summation", "pandas sums with compensation, in order", DISPATCH),
    Case("pandas: rolling windows", lambda: lines()["value"].rolling(7).std(),
         "fused multiply-add in online variance", "C17 6.5: contraction", DISPATCH),
    Case("pandas: ranks and order", lambda: [lines()["value"].rank(),
         lines().sort_values("key", kind="stable").index.to_numpy()],
         "feared: ties", EXACT_BY_DESIGN),
    Case("pandas: join and pivot", lambda: lines().merge(lines(), on="key")
         .groupby("name_x")["value_y"].count(), "feared: hashing", EXACT_BY_DESIGN),
    Case("pandas: dates", lambda: pd.to_datetime(
         ["2026-11-23", "1969-12-31"]).astype("datetime64[ns]").to_numpy(),
         "feared: conversions", EXACT_BY_DESIGN),
    Case("pandas: numbers of a CSV file", lambda: pd.read_csv(io.StringIO(
         "a\n0.1\n1e-310\n123456789.123456789\n"))["a"].to_numpy(),
         "feared: extended precision in the parser", "pandas' documentation of read_csv: float_precision",
         DISPATCH),
    Case("pandas: cuts", lambda: [pd.cut(lines()["value"], 5).cat.codes.to_numpy(),
         pd.qcut(lines()["value"], 4).cat.codes.to_numpy()], "feared: an edge that rounding moves",
         "Integers at a margin"),
    Case("pandas: exponential window", lambda: lines()["value"].ewm(span=5).mean(),
         "fused multiply-add in a recurrence", "C17 6.5: contraction", DISPATCH),
    Case("pandas: correlation", lambda: lines()[["key", "value"]].corr().to_numpy(),
         "fused multiply-add", "pandas computes it with Welford's method", DISPATCH),
    Case("pandas: hash of rows", lambda: pd.util.hash_pandas_object(lines()).to_numpy(),
         "feared: hashing by platform", EXACT_BY_DESIGN),
    Case("pandas: NaN as integer", lambda: pd.Series(pd.array([1.0, None], "Float64")
         .astype("Int64")).tolist(),
         "feared: a cast of NaN below the mask", UNDEFINED_CAST, call=True),
    Case("pandas: resampled days", lambda: lines().set_index(pd.date_range("2026-01-01", periods=60,
         freq="7h")).resample("D")["value"].sum(), "feared: order of summation",
         "pandas sums with compensation, in order", DISPATCH),
    Case("pandas: float32 means", lambda: lines().astype({"value": "f4"}).groupby("key")["value"]
         .mean(), "feared: sums in single precision", "pandas sums float32 in float64", DISPATCH),
    Case("pandas: counts in order", lambda: lines()["key"].value_counts().index.to_numpy(),
         "feared: unstable sort of ties", "pandas: value_counts keeps the order of ties"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_science(case: Case, conform: Any) -> None:
    conform(case)
