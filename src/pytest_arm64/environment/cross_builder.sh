# shellcheck shell=sh
# Runs in a builder, in which cross_tools.sh's programs are: puts them first on PATH, where they
# give the same files as the builder's own. Prints the compiler's name; the exit code is 3, and the
# last line the reason, where they do not.
set -eu

triple=aarch64-linux-gnu
cross=/opt/pytest-arm64/cross
compiler=$cross/usr/bin/$triple-gcc

refuse() {
    echo "$*"
    exit 3
}

# Debian's loader of x86-64 programs is there, and looks there.
mkdir -p /lib64 /usr/lib/x86_64-linux-gnu
mv "$cross/libraries/ld-linux-x86-64.so.2" /lib64/
mv "$cross/libraries"/* /usr/lib/x86_64-linux-gnu/

own=$(command -v gcc) || refuse "the builder has no gcc"
[ "$own" = /usr/bin/gcc ] || refuse "the builder's gcc is $own, not the distribution's"
version=$(gcc -dumpfullversion)
offered=$("$compiler" -dumpfullversion) || refuse "the cross compiler does not start"
[ "$offered" = "$version" ] || refuse "the builder has gcc $version, the cross compiler is $offered"

# The target's part is the builder's own: start files, libgcc, libstdc++ and headers.
folder=$("$compiler" -print-search-dirs | sed -n 's/^install: //p')
mkdir -p "$folder"
for file in "$(dirname "$(gcc -print-libgcc-file-name)")"/*; do
    [ -e "$folder/${file##*/}" ] || ln -sf "$file" "$folder/"
done
major=${version%%.*}
headers=$cross/usr/$triple/include/c++/$major
if [ -d "/usr/include/c++/$major" ]; then
    mkdir -p "$headers"
    ln -s "/usr/include/c++/$major"/* "$headers/"
    ln -s "/usr/include/$triple/c++/$major" "$headers/$triple"
fi

work=$(mktemp -d)
cd "$work"
cat >sample.c <<'END'
#include <arm_neon.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
double mixed(const double *a, const double *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i] + sqrt(fabs(a[i]));
    return sum;
}
float32x4_t scaled(float32x4_t a, float32x4_t b) { return vfmaq_f32(a, a, b); }
int failed(char *text, size_t size) { return snprintf(text, size, "%s", strerror(errno)); }
END
cat >sample.cc <<'END'
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
static std::atomic<int> calls;
std::shared_ptr<std::map<std::string, std::vector<int>>> grouped(const std::vector<int> &all) {
    calls++;
    auto groups = std::make_shared<std::map<std::string, std::vector<int>>>();
    for (int each : all) {
        if (each < 0) throw std::invalid_argument("negative: " + std::to_string(each));
        (*groups)[std::to_string(each % 7)].push_back(each);
    }
    return groups;
}
int caught(const std::vector<int> &all) {
    try {
        return grouped(all)->size();
    } catch (const std::exception &) {
        return -1;
    }
}
END

# same PROGRAM SOURCE: compiled and linked by both, to files of the same names. The name of the
# distribution's package, which is left out, may differ: a distribution seldom updates cross compilers.
same() {
    for program in "/usr/bin/$1" "$cross/usr/bin/$triple-$1"; do
        "$program" -O2 -g -fPIC -fno-ident -c -o sample.o "$2"
        "$program" -shared -o sample.so sample.o -lm
        for file in sample.o sample.so; do
            [ ! -e "$file.own" ] || [ "$(sha256sum <"$file")" = "$(sha256sum <"$file.own")" ] ||
                refuse "gcc $version writes another $file as a cross compiler"
            mv "$file" "$file.own"
        done
    done
    rm -f ./*.own
}
same gcc sample.c
[ ! -x /usr/bin/g++ ] || same g++ sample.cc
cd /
rm -rf "$work"

mkdir -p /usr/local/bin
for program in "$cross/usr/bin/$triple"-*; do
    name=${program##*/"$triple"-}
    for own in "$name" "$triple-$name"; do
        [ ! -e "/usr/bin/$own" ] || ln -s "$program" "/usr/local/bin/$own"
    done
done
for pair in cc:gcc c++:g++; do
    alias=/usr/bin/${pair%:*} program=${pair#*:}
    if [ "$(readlink -f "$alias")" = "$(readlink -f "/usr/bin/$program")" ]; then
        ln -s "$cross/usr/bin/$triple-$program" "/usr/local/bin/${alias##*/}"
    fi
done
package=$("$compiler" --version | sed -n '1s/^[^(]*\((.*)\).*$/\1/p')
echo "gcc $version${package:+ $package}"
