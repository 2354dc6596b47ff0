"""Prices: dated data of the package, with a file of the user's own laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path

from ..config._toml import TOMLDecodeError, loads
from ..config.suggestions import file_suggestion
from ..errors import PriceError

FORMAT = 1
_ABOUT = ("as-of", "source")


@dataclass(frozen=True)
class PriceList:
    """Prices of one service in one region, in US dollars."""

    service: str
    region: str
    as_of: date
    source: str
    prices: Mapping[str, Decimal]

    def price(self, name: str) -> Decimal:
        """The price called *name*.

        Raises:
            PriceError: there is none.
        """
        if name not in self.prices:
            raise PriceError(
                f"no price of {name!r} for {self.service} in {self.region}",
                next_step=f"known: {', '.join(sorted(self.prices))}; or give --prices FILE",
            )
        return self.prices[name]

    def __str__(self) -> str:
        return f"{self.service} prices of {self.region} as of {self.as_of} ({self.source})"


def price_list(service: str, region: str, own: Path | None = None) -> PriceList:
    """Prices of *service* (``lambda``, ``ec2``, ``vpc``) in *region*: the user's *own*, else ours.

    Raises:
        PriceError: nobody knows them, or the file cannot be used.
    """
    ours = resources.files("pytest_arm64.resources").joinpath("prices.toml")
    known = _tables(ours.read_text("utf-8"), "prices.toml")
    if own is not None:
        try:
            text = own.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PriceError(
                f"{own} cannot be read: {reason}{file_suggestion(own)}", next_step="--prices FILE"
            ) from None
        known |= _tables(text, str(own))
    if (service, region) not in known:
        raise PriceError(
            f"no {service} prices of the region {region!r} are known",
            why="prices differ between regions, and none is assumed",
            next_step="known: "
            + ", ".join(sorted(r for s, r in known if s == service))
            + f"; or give --prices FILE with a table [{service}.{region}]",
        )
    return known[service, region]


def _tables(text: str, where: str) -> dict[tuple[str, str], PriceList]:
    try:
        document = loads(text)
    except TOMLDecodeError as error:
        raise PriceError(
            f"{where} is not TOML: {error}", next_step="correct the file there"
        ) from None
    if document.pop("format", None) != FORMAT:
        raise PriceError(f"{where} must begin with: format = {FORMAT}")
    return {
        (service, region): _read(service, region, table, where)
        for service, regions in document.items()
        for region, table in _pairs(regions, f"{where}: {service}")
    }


def _pairs(value: object, where: str) -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        raise PriceError(f"{where} must be a table of regions")
    return list(value.items())


def _read(service: str, region: str, table: object, where: str) -> PriceList:
    where = f"{where}: [{service}.{region}]"
    entries = dict(_pairs(table, where))
    as_of, source = (entries.pop(name, None) for name in _ABOUT)
    if type(as_of) is not date or not isinstance(source, str):
        raise PriceError(
            f"{where} needs as-of = YYYY-MM-DD and source",
            why="a price needs its date",
        )
    return PriceList(
        service, region, as_of, source, {n: _money(v, f"{where} {n}") for n, v in entries.items()}
    )


def _money(value: object, where: str) -> Decimal:
    try:
        price = Decimal(value) if isinstance(value, (str, int)) else None
    except InvalidOperation:
        price = None
    if price is None or not price.is_finite() or price <= 0:
        raise PriceError(f'{where} = {value!r} is not a price; write it as a text: "0.0168"')
    return price
