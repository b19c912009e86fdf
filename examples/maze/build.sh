#!/bin/sh
# Builds the module build/skill.wasm, of which `hall build` makes the component. Compiles with the first of these that is there: the WASI SDK
# in WASI_SDK_PATH, or zig of PyPI, which is put into .zig, pinned by hash (needs Python 3.9 or newer with its module venv).
set -eu
cd "$(dirname "$0")"
mkdir -p build

"${HALL:-hall}" --quiet bindings c --wit wit --world skill --out build >/dev/null

if [ -n "${WASI_SDK_PATH:-}" ]; then
    cc() { "$WASI_SDK_PATH/bin/clang" --target=wasm32-wasip1 "$@"; }
else
    wanted=$(cat requirements-build.txt)
    if [ "$(cat .zig/made-for 2>/dev/null || true)" != "$wanted" ]; then
        rm -rf .zig
        python3 -m venv .zig || { echo "Python's module venv is needed (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
        .zig/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all: -r requirements-build.txt
        printf '%s' "$wanted" >.zig/made-for
    fi
    cc() { ZIG_LOCAL_CACHE_DIR=.zig/cache ZIG_GLOBAL_CACHE_DIR=.zig/cache .zig/bin/python -m ziglang cc -target wasm32-wasi "$@"; }
fi

# What C leaves undefined ends the call with a trap.
flags="-std=c17 -Os -g0 -Wall -Wextra -Werror -fsanitize=undefined -fsanitize-trap=undefined -Ibuild -Isrc"
# What generators write is not the author's to mend.
# shellcheck disable=SC2086
cc $flags -w -c build/skill.c -o build/bindings.o
# shellcheck disable=SC2086
cc $flags -mexec-model=reactor -Wl,--strip-all src/*.c build/bindings.o build/skill_component_type.o -o build/skill.wasm
