"""Checks of packages for arrays, tables, geometry and statistics."""

from __future__ import annotations

import io
import math
from typing import Any

from .case import smoke


@smoke("numpy", "numpy")
def numpy(np: Any) -> None:
    product = np.arange(6.0).reshape(2, 3) @ np.arange(6.0).reshape(3, 2)
    assert product.tolist() == [[10, 13], [28, 40]]
    assert np.linalg.solve([[3.0, 1], [1, 2]], [9.0, 8]).round(9).tolist() == [2, 3]
    assert np.sort(np.array([3, 1, 2] * 50, "i4"))[[0, 75, 149]].tolist() == [1, 2, 3]
    assert abs(np.fft.fft(np.ones(8)) - [8, 0, 0, 0, 0, 0, 0, 0]).max() < 1e-12


@smoke("scipy", "scipy.linalg", "scipy.optimize", "scipy.special", "scipy.spatial")
def scipy(linalg: Any, optimize: Any, special: Any, spatial: Any) -> None:
    assert abs(linalg.det([[1.0, 2], [3, 4]]) + 2) < 1e-12
    assert abs(optimize.brentq(lambda x: x * x - 2, 0, 2) - math.sqrt(2)) < 1e-9
    assert abs(special.gamma(5.0) - 24) < 1e-9
    assert spatial.cKDTree([[0, 0], [3, 4]]).query([3, 3])[1] == 1


@smoke("pandas", "pandas")
def pandas(pd: Any) -> None:
    table = pd.read_csv(io.StringIO("k,v\na,1\nb,2\na,3\n"), engine="c")
    assert table.groupby("k")["v"].sum().to_dict() == {"a": 4, "b": 2}
    assert table["v"].rolling(2).mean().tolist()[1:] == [1.5, 2.5]


@smoke("pyarrow", "pyarrow", "pyarrow.compute", "pyarrow.parquet")
def pyarrow(pa: Any, compute: Any, parquet: Any) -> None:
    table = pa.table({"n": list(range(1000)), "t": ["a", "b"] * 500})
    assert compute.sum(table["n"]).as_py() == 499500
    file = pa.BufferOutputStream()
    parquet.write_table(table, file)
    assert parquet.read_table(pa.BufferReader(file.getvalue())).equals(table)


@smoke("polars", "polars", covers="polars-runtime-32 polars-runtime-64 polars-runtime-compat")
def polars(pl: Any) -> None:
    frame = pl.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})
    assert frame.group_by("k").agg(pl.col("v").sum()).sort("k")["v"].to_list() == [4, 2]
    assert frame.select((pl.col("v") * 2).sum()).item() == 12


@smoke("numexpr", "numexpr", "numpy")
def numexpr(numexpr: Any, np: Any) -> None:
    values = numexpr.evaluate("2 * a + 1", {"a": np.arange(4)})
    assert values.tolist() == [1, 3, 5, 7]


@smoke("bottleneck", "bottleneck", "numpy")
def bottleneck(bn: Any, np: Any) -> None:
    assert bn.nanmean(np.array([1.0, np.nan, 3.0])) == 2
    assert bn.move_sum(np.arange(4.0), 2).tolist()[1:] == [1, 3, 5]


@smoke("h5py", "h5py", "numpy")
def h5py(h5py: Any, np: Any) -> None:
    with h5py.File("smoke.h5", "w", driver="core", backing_store=False) as file:
        file.create_dataset("n", data=np.arange(100), compression="gzip")
        assert file["n"][10:13].tolist() == [10, 11, 12]


@smoke("shapely", "shapely.geometry")
def shapely(geometry: Any) -> None:
    assert geometry.box(0, 0, 2, 2).intersection(geometry.box(1, 1, 3, 3)).area == 1
    assert geometry.Point(1, 1).within(geometry.box(0, 0, 2, 2))


@smoke("pyproj", "pyproj")
def pyproj(pyproj: Any) -> None:
    mercator = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
    x, y = mercator.transform(180, 0)
    assert abs(x - 20037508.342789) < 1e-3
    assert abs(y) < 1e-3


@smoke("rtree", "rtree.index")
def rtree(index: Any) -> None:
    tree = index.Index()
    tree.insert(1, (0, 0, 1, 1))
    tree.insert(2, (5, 5, 6, 6))
    assert list(tree.intersection((4, 4, 7, 7))) == [2]


@smoke("statsmodels", "statsmodels.nonparametric.smoothers_lowess", "numpy")
def statsmodels(smoothers: Any, np: Any) -> None:
    x = np.arange(20.0)
    assert abs(smoothers.lowess(2 * x, x)[:, 1] - 2 * x).max() < 1e-9


@smoke("pywavelets", "pywt")
def pywavelets(pywt: Any) -> None:
    approximation, detail = pywt.dwt([1.0, 1, 1, 1], "haar")
    assert abs(approximation - math.sqrt(2)).max() < 1e-12
    assert abs(detail).max() < 1e-12


@smoke("numba", "numba")
def numba(numba: Any) -> None:
    @numba.njit  # type: ignore[untyped-decorator]  # it may not be installed here
    def total(n: int) -> int:
        value = 0
        for number in range(n):
            value += number
        return value

    assert total(10) == 45


@smoke("llvmlite", "llvmlite.binding")
def llvmlite(llvm: Any) -> None:
    module = llvm.parse_assembly("define i32 @f() {\n  ret i32 42\n}\n")
    module.verify()
    assert module.get_function("f").name == "f"


@smoke("contourpy", "contourpy")
def contourpy(contourpy: Any) -> None:
    (line,) = contourpy.contour_generator(z=[[0, 1], [0, 1]]).lines(0.5)
    assert {x for x, _ in line.tolist()} == {0.5}


@smoke("kiwisolver", "kiwisolver")
def kiwisolver(kiwi: Any) -> None:
    x, y, solver = kiwi.Variable("x"), kiwi.Variable("y"), kiwi.Solver()
    for constraint in (x + y == 10, x - y == 4):
        solver.addConstraint(constraint)
    solver.updateVariables()
    assert (x.value(), y.value()) == (7, 3)


@smoke("ml-dtypes", "ml_dtypes", "numpy")
def ml_dtypes(ml: Any, np: Any) -> None:
    values = np.array([1.00390625, 2.5], "f4").astype(ml.bfloat16)
    assert values.astype("f4").tolist() == [1, 2.5]
