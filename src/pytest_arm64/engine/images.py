"""Images: find, pull with progress, and read what they say of themselves."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from ..errors import ImageError
from ..progress import Progress
from .endpoint import LABEL, Engine
from .failures import engine_errors, no_space
from .image_uses import remember_use
from .leftovers import MAKER_LABEL, is_dead
from .seals import BASE_LABEL, NAME_LABEL, is_made_image, is_ours

if TYPE_CHECKING:
    from docker.models.images import Image


# Podman calls images without a registry by "localhost".
_HUB = frozenset(
    ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]
)
_ELSEWHERE = (
    "check the network and the registry, name another image with --arm64-image, "
    "or build the stand-ins: scripts/engine up"
)
SILENCE_SECONDS = 25.0
"""How long the engine may say nothing of a pull; what it has got is kept for the next one."""


@dataclass(frozen=True)
class Base:
    """An image as the engine holds it."""

    reference: str
    id: str
    digest: str
    architecture: str
    labels: Mapping[str, str]
    path: str = ""
    """The image's own ``PATH``, empty where it sets none."""
    library_path: str = ""
    """The image's own ``LD_LIBRARY_PATH``."""


def is_made_here(reference: str) -> bool:
    """Whether *reference*, however it spells Docker Hub, names an image that is never pulled.

    Docker takes a first part with a dot or a colon, or ``localhost``, for a registry's host
    (distribution/reference, November 2026).
    """
    host, slash, name = reference.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        if host != "localhost" and host.lower().partition(":")[0].rstrip(".") not in _HUB:
            return False
        reference = name.removeprefix("library/")
    return reference.startswith(f"{LABEL}/")


def find_image(engine: Engine, reference: str) -> Base | None:
    """*reference* where the engine has it, else None."""
    from docker.errors import NotFound

    with engine_errors(f"the engine could not look for {reference}"):
        try:
            image = engine.client.images.get(reference)
        except NotFound:  # not ImageNotFound: Podman words it otherwise
            return None
    return _base(reference, image)


def find_made(engine: Engine, tag: str) -> Base | None:
    """The image that was made here as *tag*, else None: one that has its name alone is not ours."""
    image = find_image(engine, tag)
    if image is None or not is_ours(image.labels) or image.labels.get(NAME_LABEL) != tag:
        return None
    remember_use(tag)
    return image


def get_image(
    engine: Engine, reference: str, architecture: str, progress: Progress, *, offline: bool
) -> Base:
    """*reference* for *architecture*, pulled if it is not there.

    Raises:
        ImageError: it cannot be had, or it is for another architecture.
    """
    base = find_image(engine, reference)
    if base is None or base.architecture != architecture:
        if is_made_here(reference):
            # Made on this engine only: whoever has that name in a registry is not us.
            raise ImageError(
                f"{reference} is not on the engine for {architecture}, and it is never pulled",
                next_step="build the stand-ins: scripts/engine up; or leave out the image to use "
                "the target's own",
            )
        if offline:
            raise ImageError(
                f"{reference} for {architecture} is not on the engine "
                "(--arm64-offline pulls nothing)",
                next_step=f"docker pull --platform linux/{architecture} {reference}",
            )
        _pull(engine, reference, architecture, progress)
        base = find_image(engine, reference)
    if base is None or base.architecture != architecture:
        offered = base.architecture if base else "nothing"
        raise ImageError(
            f"{reference} was requested for {architecture}, and the engine has {offered}",
            why="results would say nothing about the requested architecture",
            next_step=f"docker pull --platform linux/{architecture} {reference}",
        )
    return base


def _pull(engine: Engine, reference: str, architecture: str, progress: Progress) -> None:
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    failure, silence = "", f"no data for {SILENCE_SECONDS:.0f} s"
    with progress.step(f"pull {reference} ({architecture})") as step:
        layers: dict[str, tuple[int, int]] = {}
        got, since = 0, time.monotonic()
        try:
            events = engine.client.api.pull(
                reference, platform=f"linux/{architecture}", stream=True, decode=True
            )
            for event in engine.patience.each(events, SILENCE_SECONDS):
                failure = failure or str(event.get("error", ""))
                _track(layers, event)
                total = sum(size for _, size in layers.values())
                done = sum(here for here, _ in layers.values())
                status = str(event.get("status", ""))
                step.update(status, done / total if total else None)
                retrying = status.startswith("Retrying")
                if done > got or not (retrying or status == "Downloading"):
                    got, since = max(done, got), time.monotonic()
                elif retrying and time.monotonic() - since > SILENCE_SECONDS:
                    failure = silence  # the engine itself would go on for more than a minute
                    break
        except TimeoutError:
            failure = silence
        except (APIError, DockerException, RequestException, OSError) as error:
            failure = str(getattr(error, "explanation", None) or error)
    if "no space left" in failure:
        raise no_space(f"{reference} could not be pulled", failure)
    if failure:
        raise ImageError(
            f"{reference} could not be pulled for {architecture}: {failure}",
            why="the environment is built from this image",
            next_step=_ELSEWHERE,
        )


def ask_registry(engine: Engine, reference: str, architecture: str) -> None:
    """Have the engine ask the registry for *reference*, without a pull.

    Raises:
        ImageError: the registry cannot be reached, does not have it, or not for *architecture*.
    """
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    if is_made_here(reference):
        raise ImageError(
            f"{reference} is neither on the engine nor in a registry", next_step=_ELSEWHERE
        )
    try:
        offer = engine.client.api.inspect_distribution(reference)  # type: ignore[no-untyped-call]  # docker-py
    except (APIError, DockerException, RequestException, OSError) as error:
        raise ImageError(
            f"the registry does not give {reference}: {getattr(error, 'explanation', error)}",
            why="the first run would have to pull it",
            next_step=_ELSEWHERE,
        ) from None
    offered = {str(platform.get("architecture")) for platform in offer.get("Platforms") or ()}
    if offered and architecture not in offered:
        raise ImageError(
            f"{reference} is offered for {', '.join(sorted(offered))}, not for {architecture}",
            why="an image of another architecture says nothing about ARM",
            next_step="name one that is with --arm64-image",
        )


def manifest_kind(engine: Engine, reference: str) -> str:
    """Media type of what a registry has under *reference*; empty where none tells."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    if is_made_here(reference):
        return ""
    try:
        description = engine.client.api.inspect_distribution(reference)  # type: ignore[no-untyped-call]  # docker-py
    except (APIError, DockerException, RequestException, OSError):
        return ""
    return str((description.get("Descriptor") or {}).get("mediaType", ""))


def _track(layers: dict[str, tuple[int, int]], event: Mapping[str, Any]) -> None:
    detail = event.get("progressDetail") or {}
    if event.get("status") == "Downloading" and detail.get("total"):
        layers[str(event.get("id"))] = (int(detail.get("current", 0)), int(detail["total"]))


def export_image(engine: Engine, image: Base) -> IO[bytes]:
    """The whole file system of *image* as a tar in a temporary file, at its start.

    Nothing of the image is started.
    """
    target = tempfile.TemporaryFile()  # noqa: SIM115  (handed to the caller)
    container = None
    try:
        with engine_errors(f"the files of {image.reference} could not be read"):
            container = engine.client.containers.create(
                image.id,
                command=["-"],
                platform=f"linux/{image.architecture}",
                labels=engine.labels,
                network_mode="none",
            )
            chunks = cast("Iterator[bytes]", container.export())
            try:
                for chunk in engine.patience.each(chunks, SILENCE_SECONDS):
                    target.write(chunk)
            except TimeoutError:
                raise ImageError(
                    f"the files of {image.reference} could not be read: the engine said nothing "
                    f"for {SILENCE_SECONDS:g} s",
                    next_step="look whether the engine still runs: docker version",
                ) from None
    except BaseException:
        target.close()
        raise
    finally:
        if container is not None:
            with engine_errors("a container could not be removed"):
                container.remove(force=True, v=True)
    target.seek(0)
    return target


def remove_derived(engine: Engine, image: Base) -> None:
    """Remove *image*, which a newer one has replaced, and what was made from it here.

    What is in use stays.
    """
    with engine_errors("an image that was replaced could not be removed"):
        _remove_with_derived(engine, [image.id])


def remove_nameless(engine: Engine) -> None:
    """Remove what killed processes would have removed: images that newer ones took the name of."""
    with engine_errors("images without a name could not be looked for"):
        dangling = engine.client.api.images(filters={"dangling": True, "label": MAKER_LABEL})
        _remove_with_derived(
            engine,
            [
                image["Id"]
                for image in dangling
                if is_made_image(image) and is_dead(image["Labels"][MAKER_LABEL])
            ],
        )


def _remove_with_derived(engine: Engine, identifiers: Sequence[str]) -> None:
    from docker.errors import APIError

    if not identifiers:
        return
    listed = engine.client.api.images(filters={"label": BASE_LABEL})
    made = [each for each in listed if is_made_image(each)]

    def last_first(base: str) -> Iterator[str]:
        for each in made:
            if each["Labels"][BASE_LABEL] == base:
                yield from last_first(each["Id"])
        yield base

    for identifier in identifiers:
        for each in last_first(identifier):
            with contextlib.suppress(APIError):
                engine.client.images.remove(each)


def _base(reference: str, image: Image) -> Base:
    attributes = image.attrs
    config = attributes.get("Config") or {}
    digests = attributes.get("RepoDigests") or []
    variables = dict(str(v).partition("=")[::2] for v in config.get("Env") or [])
    return Base(
        reference=reference,
        id=str(image.id),
        digest=str(digests[0]).partition("@")[2] if digests else "",
        architecture=str(attributes.get("Architecture", "")),
        labels=config.get("Labels") or {},
        path=variables.get("PATH", ""),
        library_path=variables.get("LD_LIBRARY_PATH", ""),
    )
