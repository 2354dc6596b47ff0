# shellcheck shell=sh
# Runs in an amd64 image with the distribution's cross compiler for aarch64: puts the compiler's
# programs, with the libraries that they load, below /opt/pytest-arm64/cross.
set -eu

triple=aarch64-linux-gnu
cross=/opt/pytest-arm64/cross
compiler=/usr/bin/$triple-gcc

if [ ! -x "$compiler" ]; then
    echo "the image has no $compiler"
    exit 3
fi
programs=$(dirname "$(realpath "$("$compiler" -print-prog-name=cc1)")")
mkdir -p "$cross/usr/bin" "$cross/usr/$triple" "$cross$programs" "$cross/libraries"
cp -a /usr/bin/"$triple"-* "$cross/usr/bin/"
cp -a "/usr/$triple/bin" "$cross/usr/$triple/"
for file in "$programs"/*; do
    case $file in
        *.a | *.o) continue ;;
    esac
    # The libraries of libgcc-…-cross are the target's; the builder has its own.
    if [ -f "$file" ] && ldd "$file" >/dev/null 2>&1; then
        cp -a "$file" "$cross$programs/"
    fi
done
for file in "$cross/usr/bin"/* "$cross$programs"/*; do
    ldd "$file" 2>/dev/null || true
done | sed -n 's/^.* => \(\/[^ ]*\) (.*$/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*$/\1/p' | sort -u |
    while read -r library; do
        cp -L "$library" "$cross/libraries/"
    done
