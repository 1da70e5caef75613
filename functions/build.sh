#!/usr/bin/env bash
# Builds every function for Lambda, into target/lambda/<architecture>/<function>/bootstrap.
#
#   functions/build.sh [arm64|x86_64]
#
# Needs rustup and python3; the cross-compiler (cargo-lambda, with zig) is installed under target/tools. The same commit
# built with the same Rust gives the same bytes in any folder, so that what has not changed is not deployed again.
set -euo pipefail
cd "$(dirname "$0")/.."

architecture=${1:-arm64}
case $architecture in
  arm64) target=aarch64-unknown-linux-gnu ;;
  x86_64) target=x86_64-unknown-linux-gnu ;;
  *)
    echo "error: there is no architecture '$architecture': write arm64 or x86_64" >&2
    exit 2
    ;;
esac
for tool in cargo rustup python3; do
  command -v "$tool" >/dev/null || { echo "error: $tool is missing: it is needed to build the functions" >&2; exit 1; }
done

tools=target/tools/lambda
if ! cmp -s functions/build-requirements.txt "$tools/installed.txt"; then
  python3 -m venv --clear "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement functions/build-requirements.txt
  cp functions/build-requirements.txt "$tools/installed.txt"
fi
rustup target add "$target"

packages=()
for main in functions/*/src/main.rs; do
  packages+=(--package "$(basename "$(dirname "$(dirname "$main")")")")
done

# Paths of this machine would be in the panic messages otherwise.
sysroot=$(rustc --print sysroot)
export RUSTFLAGS="--remap-path-prefix=$PWD=/stopgap --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$sysroot=/rust"
export SOURCE_DATE_EPOCH=0
# --disable-optimizations: the profile says all there is to say; cargo-lambda's own settings would abort on a panic, which
# keeps the runtime from telling it as an error.
PATH="$PWD/$tools/bin:$PATH" cargo lambda build --disable-optimizations --locked --profile function --target "$target" \
  --lambda-dir "target/lambda/$architecture" "${packages[@]}"
