"""One container of ours: labelled, least privileged, and dead when this process is dead."""

from __future__ import annotations

import contextlib
import re
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import IO, TYPE_CHECKING

from ..errors import EngineError, OverdueCommandError
from .container_plan import Plan
from .endpoint import LABEL, Engine
from .exec import STDERR, STDOUT, Exec, OverdueError
from .failures import engine_errors, local_errors
from .leftovers import HOST_LABEL, MAKER_LABEL, this_process
from .output import Output, OutputLines
from .seals import sealed
from .stream import Stream

if TYPE_CHECKING:
    from docker.models.containers import Container as DockerContainer
    from docker.models.images import Image

KEPT_LABEL = f"{LABEL}.kept"
"""Of containers that are kept when their host process is gone, for a while."""
KEPT_SECONDS = 86_400
# An engine gives an image the labels of its container, and a container those of its image: what
# others start from an image of ours must not pass for a container that nobody needs any more.
_NOBODYS = {HOST_LABEL: "", f"{LABEL}.session": ""}
_KEPT_LABELS = {KEPT_LABEL: "1", **_NOBODYS}
# Both versions of control groups count what was killed; only one of the files is there.
_MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_LOOPBACK6 = {"net.ipv6.conf.lo.disable_ipv6": "0"}
MOST_BYTES = 64 * 2**30
"""Of a folder that is taken out of a container: an environment, with all of its packages."""
MOST_READ = 64 * 2**20
"""Of a single file that is read."""
_ADDED = 1
"""Docker's kind of a change, as of API 1.41."""
_IN_MEMORY = 8 * 2**20
"""Bytes of an archive that need no file on this machine's disk."""


@dataclass(frozen=True)
class Finished:
    """A command that ended inside: exit code and everything it printed."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return (self.stdout + self.stderr).decode("utf-8", "replace")


class Container:
    """Context manager: made and started on entry, removed on every way out.

    Its PID 1 reads a stdin that only this process holds, so that the container ends with it.
    """

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self._engine = engine
        self._plan = plan
        self._container: DockerContainer | None = None
        self._lifeline: Stream | None = None
        self._with_ipv6 = True

    def __enter__(self) -> Container:  # noqa: PYI034  (Self needs Python 3.11)
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def id(self) -> str:
        assert self._container is not None
        return str(self._container.id)

    @property
    def image_id(self) -> str:
        """Of the image that it was made from; empty where the engine does not say."""
        assert self._container is not None
        return str(self._container.attrs.get("Image") or "")

    def start(self) -> None:
        """Make and start the container; what was begun is removed where that fails."""
        try:
            self._start()
        except BaseException as error:
            self.close()
            if not self._with_ipv6 or "/net/ipv6/" not in str(error):
                raise
            self._with_ipv6 = False  # the engine's kernel has none
            self.start()

    def _start(self) -> None:
        from docker.types import Mount as MountType
        from docker.types import Ulimit

        with engine_errors(f"a container of {self._plan.image} could not be started"):
            client, plan = self._engine.client, self._plan
            stays = bool(plan.kept_as)
            self._container = client.containers.create(
                plan.image,
                name=plan.kept_as or None,
                command=["sleep", str(KEPT_SECONDS)] if stays else ["cat"],
                entrypoint=[],
                platform=plan.platform,
                user=plan.user,
                environment=dict(plan.environment or {}),
                labels=_KEPT_LABELS if stays else self._engine.labels,
                stdin_open=not stays,
                tty=False,
                init=self._engine.has_init or None,
                auto_remove=True,
                network_mode=plan.network,
                sysctls=self._sysctls(),
                read_only=plan.read_only,
                cap_drop=["ALL"],
                cap_add=list(plan.capabilities),
                security_opt=["no-new-privileges"],
                pids_limit=plan.processes,
                ulimits=[Ulimit(name="nofile", soft=plan.open_files, hard=plan.open_files)]
                if plan.open_files
                else [],
                nano_cpus=int(plan.processors * 1e9) or None,
                ipc_mode=plan.ipc or None,
                mem_limit=plan.memory or self._engine.memory or None,
                memswap_limit=plan.memory or None,
                shm_size=(not plan.ipc and plan.shm_size) or None,
                tmpfs=dict(plan.tmpfs or {}),
                volumes=list(plan.volumes),
                volumes_from=list(plan.volumes_from),
                # Unlike the short form, this one never makes a missing folder on the engine's side.
                mounts=[
                    MountType(m.path, m.path, type="bind", read_only=m.read_only)
                    for m in plan.mounts
                ],
            )
            if not stays:
                self._lifeline = Stream(
                    client.api.attach_socket(self.id, params={"stdin": 1, "stream": 1})
                )
            self._container.start()

    def _sysctls(self) -> dict[str, str]:
        network = self._plan.network
        own = network != "host" and not network.startswith("container:")
        asked = own and self._with_ipv6 and self._engine.removes_loopback6
        return dict(_LOOPBACK6) if asked else {}

    def keep(self, name: str, environment: Mapping[str, str]) -> None:
        """Start one like it, with its volumes, that stays for a day when this process is gone.

        Raises:
            EngineError: it could not be started.
        """
        plan = replace(
            self._plan,
            kept_as=name,
            environment=environment,
            volumes=(),
            volumes_from=[self.id],
        )
        Container(self._engine, plan).start()

    @property
    def client_name(self) -> str:
        """The command with which a person reaches this engine's containers."""
        return "podman" if self._engine.podman else "docker"

    def leave(self) -> None:
        """Let it end, and be removed by the engine, while this process goes on.

        Removing takes a third of a second. What should not end is removed with the session.
        """
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            self._container = None
            lifeline.close()
        self.close()

    def close(self) -> None:
        """Remove the container; harmless where it is gone already."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        container, self._container = self._container, None
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        if container is not None:
            with contextlib.suppress(DockerException, RequestException, OSError):
                container.remove(force=True, v=True)

    def start_exec(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        workdir: str | None = None,
        user: str = "",
        stdin: bytes = b"",
    ) -> Exec:
        """Start *command* inside, which reads *stdin*, and return it running.

        Standard input does not end behind *stdin*; without any it is empty.
        """
        with engine_errors("a command could not be started in the container"):
            created = self._engine.client.api.exec_create(
                self.id,
                list(command),
                stdout=True,
                stderr=True,
                stdin=bool(stdin),
                tty=False,
                environment=dict(environment or {}),
                workdir=workdir,
                user=user,
            )
            running = Exec(self._engine, created["Id"])
        if stdin:
            running.send(stdin)
        return running

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        workdir: str | None = None,
        user: str = "",
        on_line: Callable[[str], None] | None = None,
        seconds: float = 0.0,
    ) -> Finished:
        """Run *command* to its end; *on_line* sees each line of its output as it comes.

        Of more than 16 MiB on one channel, the beginning and the end are kept. Without *seconds*
        it may take as long as the plan says.

        Raises:
            EngineError: the engine or the container went away before the command ended, or it did
                not end in time: then it may still run.
        """
        running = self.start_exec(command, environment=environment, workdir=workdir, user=user)
        seconds = seconds or self._plan.longest
        running.deadline = time.monotonic() + seconds
        output = {STDOUT: Output(), STDERR: Output()}
        lines = OutputLines(on_line) if on_line is not None else None
        try:
            for channel, data in running:
                output[STDERR if channel == STDERR else STDOUT].add(data)
                if lines is not None:
                    lines.add(data)
            code = running.code()
        except OverdueError:
            printed = Finished(-1, output[STDOUT].value(), output[STDERR].value()).text
            raise OverdueCommandError(
                f"{' '.join(command)[:80]} did not end within {seconds / 3600:g} h",
                why="no command in a container may take longer; a test has --arm64-timeout",
                next_step=f"look what it waits for; its last output was: "
                f"{' '.join(printed[-200:].split())}",
                log=printed,
            ) from None
        finally:
            running.close()
        if code is None:
            raise EngineError(
                f"the container stopped while it ran {' '.join(command)[:80]}",
                next_step="look whether the engine was stopped or ran out of memory, and try again",
            )
        return Finished(code, output[STDOUT].value(), output[STDERR].value())

    def put(self, path: str, archive: bytes | IO[bytes] | Iterable[bytes]) -> None:
        """Unpack a tar *archive* into the folder *path*."""
        with engine_errors(f"files could not be put into the container at {path}"):
            self._engine.client.api.put_archive(self.id, path, archive)

    def fetch(self, path: str, most: int = MOST_BYTES) -> IO[bytes]:
        """*path* as a tar in a temporary file, whose first entry is the path's last component.

        At most *most* bytes are taken: a file may be larger than it is on the engine's disk.

        The engine locks a container while its files are read, so the stream is always read to
        its end here, and never handed out.
        """
        target = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (handed to the caller)
        try:
            with engine_errors(f"{path} could not be read from the container"):
                self._engine.patience.wait_for(lambda: self._fetch(path, target, most))
        except BaseException:
            with contextlib.suppress(OSError):  # of a full disk: it has been told
                target.close()
            raise
        return target

    def _fetch(self, path: str, target: IO[bytes], most: int) -> None:
        stream, _ = self._engine.client.api.get_archive(self.id, path)
        left = most
        with contextlib.closing(stream):  # else the container stays locked, and is never removed
            for chunk in stream:
                left -= len(chunk)
                if left < 0:
                    raise EngineError(f"{path} in the container is larger than {most >> 20} MiB")
                with local_errors(path):
                    target.write(chunk)
        with local_errors(path):
            target.seek(0)

    def read(self, path: str) -> bytes:
        """Content of the regular file *path*.

        Raises:
            EngineError: it is not there, or no regular file.
        """
        with self.fetch(path, MOST_READ) as stream, tarfile.open(fileobj=stream) as archive:
            member = archive.next()
            source = archive.extractfile(member) if member is not None else None
            if source is None:
                raise EngineError(f"{path} in the container is not a regular file")
            return source.read()

    def has(self, path: str) -> bool:
        """Whether something is at *path*: an answer in a tenth of the time that reading it takes.

        Raises:
            EngineError: the engine does not answer.
        """
        api = self._engine.client.api
        with engine_errors(f"the container did not say whether it has {path}"):
            answer = api.head(
                f"{api.base_url}/v{api.api_version}/containers/{self.id}/archive",
                params={"path": path},
                timeout=api.timeout,
            )
        return bool(answer.ok)

    def added(self) -> list[str]:
        """Paths of the files and folders that its image does not have."""
        with engine_errors("the container did not say what was added to it"):
            changes = self._engine.client.api.diff(self.id)
        return [str(change["Path"]) for change in changes or () if change["Kind"] == _ADDED]

    def lost(self) -> str:
        """Why it does not run any more, in words; empty while it runs."""
        from docker.errors import DockerException, NotFound
        from requests.exceptions import RequestException

        try:
            state = self._engine.client.api.inspect_container(self.id)["State"]
        except NotFound:
            return "the container was removed while it was used"
        except (DockerException, RequestException, OSError):
            return "the engine does not answer; look whether it still runs: docker version"
        if state.get("Running"):
            return ""
        return f"the container has ended with exit code {state.get('ExitCode')}"

    def memory_fate(self) -> str:
        """Whether the kernel has killed something in it for want of memory, in words or empty."""
        with contextlib.suppress(EngineError):
            counters = self.run(["cat", *_MEMORY_EVENTS]).stdout.decode("ascii", "replace")
            if re.search(r"^oom_kill [1-9]", counters, re.MULTILINE):
                return self._plan.memory_note or (
                    "the machine ran out of memory, or the container used nearly all of it: the "
                    "kernel killed it"
                )
        return ""

    def commit(self, tag: str, labels: Mapping[str, str]) -> Image:
        """Make an image of the container as it is; the tag comes last, so it is whole or absent."""
        assert self._container is not None
        with engine_errors(f"the image {tag} could not be made"):
            labels = sealed(tag, {**labels, **_NOBODYS, MAKER_LABEL: this_process()})
            changes = [f"LABEL {key}={_quoted(value)}" for key, value in labels.items()]
            repository, _, name = tag.rpartition(":")
            # Nothing but `cat` runs in it, and a rootless engine cannot always pause.
            return self._container.commit(repository, name, changes=changes, pause=False)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
