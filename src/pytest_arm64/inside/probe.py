"""Tell, as one JSON line, what this interpreter and its system are. Runs alone, inside."""

import importlib.util
import json
import os
import platform
import re
import sys
import sysconfig

LIBRARY_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/var/lang/lib")


def os_release() -> "dict[str, str]":
    """``/etc/os-release`` as a dict."""
    values: dict[str, str] = {}
    try:
        with open("/etc/os-release", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, equals, value = line.strip().partition("=")
                if equals:
                    values[key] = value.strip("\"'")
    except OSError:
        pass
    return values


def glibc() -> str:
    """Version of glibc, empty where the C library is another."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[2]
    except (ValueError, OSError, AttributeError):
        return ""


def libstdcxx() -> str:
    """Newest ``GLIBCXX_3.4.N`` that the system's libstdc++ defines."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    folders = [*LIBRARY_FOLDERS, "/usr/lib/" + multiarch, "/lib/" + multiarch]
    for folder in folders:
        try:
            with open(os.path.join(folder, "libstdc++.so.6"), "rb") as library:
                names = re.findall(rb"GLIBCXX_3\.4\.(\d+)", library.read())
        except OSError:
            continue
        return "3.4." + str(max(map(int, names))) if names else ""
    return ""


def cpu() -> "dict[str, str]":
    """Implementer and part of the first processor, as an ARM kernel tells them."""
    values: dict[str, str] = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                values.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    return {"implementer": values.get("CPU implementer", ""), "part": values.get("CPU part", "")}


def facts() -> "dict[str, object]":
    """Everything, ready for JSON."""
    system = os_release()
    return {
        "machine": platform.machine(),
        "os": " ".join([system.get("ID", "unknown"), system.get("VERSION_ID", "")]).strip(),
        "os_name": system.get("PRETTY_NAME", "an unnamed system"),
        "glibc": glibc(),
        "libstdcxx": libstdcxx(),
        "page_size": os.sysconf("SC_PAGE_SIZE"),
        "cpu": cpu(),
        "python": {
            "executable": os.path.realpath(sys.executable),
            "version": platform.python_version(),
            "minor": "%d.%d" % sys.version_info[:2],
            "cache_tag": sys.implementation.cache_tag,
            "magic": importlib.util.MAGIC_NUMBER.hex(),
            "library": os.path.dirname(os.__file__),
            "compiled": os.path.exists(importlib.util.cache_from_source(os.__file__)),
            "purelib": sysconfig.get_path("purelib", "venv", {"base": "/p"})[3:]
            if "venv" in sysconfig.get_scheme_names()
            else sysconfig.get_path("purelib", "posix_prefix", {"base": "/p"})[3:],
        },
    }


if __name__ == "__main__":
    print(json.dumps(facts()))
