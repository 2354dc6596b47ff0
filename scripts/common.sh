# shellcheck shell=bash
# The set-up that the scripts share: a virtual environment, an engine, a browser.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=${PYTEST_ARM64_VENV:-$ROOT/.venv}

say() { printf '== %s\n' "$*" >&2; }

# The newest Python that is new enough; PYTHON names another.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python3.10; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  say "no Python 3.10 or newer was found; install one, or set PYTHON to its path"
  return 1
}

# provide_venv GROUP: makes $VENV hold this project and a dependency group; nothing is done twice.
provide_venv() {
  local stamp wanted
  stamp=$VENV/.pytest-arm64-$1
  wanted=$(sha256sum "$ROOT/pyproject.toml" | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  say "virtual environment: $VENV, dependency group $1"
  if [ ! -x "$VENV/bin/python" ]; then
    "$(find_python)" -m venv "$VENV" || {
      say "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"
      return 1
    }
  fi
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
    --group "$ROOT/pyproject.toml:$1" --editable "$ROOT"
  printf '%s\n' "$wanted" >"$stamp"
}

provide_engine() {
  "$ROOT/scripts/engine" up
  eval "$("$ROOT/scripts/engine" env)"
}

find_chromium() {
  local name
  for name in "${PYTEST_ARM64_CHROMIUM:-}" chromium chromium-headless-shell google-chrome; do
    command -v "${name:-/}" && return
  done
}

# Sets PYTEST_ARM64_CHROMIUM. Where there is none, Debian's is installed, if root asks for it.
provide_chromium() {
  if ! find_chromium >/dev/null; then
    (
      # shellcheck disable=SC1091 source=scripts/engine.d/common.sh
      . "$ROOT/scripts/engine.d/common.sh"
      # shellcheck disable=SC1091 source=scripts/engine.d/packages.sh
      . "$ROOT/scripts/engine.d/packages.sh"
      if can_install; then
        need_packages "the tests of the page" chromium-headless-shell fonts-dejavu-core
      fi
    ) || true
  fi
  PYTEST_ARM64_CHROMIUM=$(find_chromium) || {
    say "no Chromium was found; install one, or set PYTEST_ARM64_CHROMIUM to its path"
    return 1
  }
  export PYTEST_ARM64_CHROMIUM
}
