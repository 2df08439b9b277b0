#!/usr/bin/env bash
# Builds the CNI launcher: a static position-independent program without run-time dependencies.
#
# usage: build.sh OUTPUT [COMPILER-OPTION...]
#
# With musl (package musl-tools) it has 46 kB; without it glibc is taken, 20 times as large.
# Warnings are errors in the tests' build only: a newer compiler must not keep a user from building.
# Does nothing when OUTPUT is newer than the source and this script.
set -euo pipefail
export LC_ALL=C

readonly FLAGS=(-std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wconversion
    -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE)

die() {
    echo "build.sh: $*" >&2
    exit 1
}

# musl's own wrapper links "-static-pie" dynamically, so the link line is written out.
link_musl() {
    local object=$1 output=$2 lib
    lib=$(musl-gcc -### -x c /dev/null 2>&1 | grep --only-matching '[^ "]*/S\{0,1\}crt1\.o')
    lib=$(dirname "$lib")
    gcc -nostdlib -static-pie -Wl,--no-dynamic-linker,-z,relro,-z,now,-s \
        "$lib/rcrt1.o" "$lib/crti.o" "$object" -L"$lib" -lc "$(gcc -print-libgcc-file-name)" \
        "$lib/crtn.o" -o "$output"
}

main() {
    [ $# -ge 1 ] || die "usage: build.sh OUTPUT [COMPILER-OPTION...]"
    local output=$1 here source object
    shift
    here=$(cd "$(dirname "$0")" && pwd)
    source=$here/underlay.c
    if [ "$output" -nt "$source" ] && [ "$output" -nt "$0" ]; then
        return
    fi
    command -v gcc >/dev/null || die "no C compiler: install the package gcc"
    mkdir -p "$(dirname "$output")"
    object=$output.$$.o
    # shellcheck disable=SC2064 # the names are wanted as they are now
    trap "rm -f '$object' '$output.$$'" EXIT
    if command -v musl-gcc >/dev/null; then
        musl-gcc "${FLAGS[@]}" "$@" -c "$source" -o "$object"
        link_musl "$object" "$output.$$"
    else
        echo "build.sh: no musl-gcc (package musl-tools), building with glibc" >&2
        gcc "${FLAGS[@]}" "$@" -c "$source" -o "$object"
        gcc -static-pie -Wl,-z,relro,-z,now,-s "$object" -o "$output.$$"
    fi
    mv "$output.$$" "$output"
}

main "$@"
