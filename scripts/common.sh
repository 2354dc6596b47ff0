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

# find_minor 3.12: that Python, from PATH or pyenv, if it can make virtual environments.
find_minor() {
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if "$candidate" -c "import sys, ensurepip, venv
sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# provide_venv GROUP: makes $VENV hold this project and a dependency group; nothing is done twice.
provide_venv() {
  local stamp wanted
  stamp=$VENV/.pytest-arm64-$1
  wanted=$(project_hash)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  say "virtual environment: $VENV, dependency group $1"
  if [ ! -x "$VENV/bin/python" ]; then make_venv "$VENV" "$(find_python)"; fi
  install_group "$VENV" "$1"
  printf '%s\n' "$wanted" >"$stamp"
}

# provide_fresh_venv FOLDER PYTHON: holds this project and the group `test`, and nothing else.
# An environment of another pyproject.toml is built again from nothing.
provide_fresh_venv() {
  local stamp wanted
  stamp=$1/.pytest-arm64-test
  wanted=$(project_hash)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  say "virtual environment: $1, dependency group test"
  rm -rf "$1"
  # Python compiles what the tests import; to compile everything takes half of the time.
  make_venv "$1" "$2" && install_group "$1" test --no-compile && printf '%s\n' "$wanted" >"$stamp"
}

project_hash() { sha256sum "$ROOT/pyproject.toml" | cut -d' ' -f1; }

make_venv() {
  "$2" -m venv "$1" || {
    say "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"
    return 1
  }
}

# install_group FOLDER GROUP PIP-OPTIONS
install_group() {
  local python=$1/bin/python group=$2
  shift 2
  "$python" -m pip install --quiet --disable-pip-version-check --upgrade "$@" 'pip>=25.1' &&
    "$python" -m pip install --quiet --disable-pip-version-check "$@" \
      --group "$ROOT/pyproject.toml:$group" --editable "$ROOT"
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
