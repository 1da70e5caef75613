#!/usr/bin/env bash
# Keeps of a target's corpus the inputs with a name, and of the others the fewest that reach all the code that they reach.
set -euo pipefail
cd "$(dirname "$0")"
target=$1
fewest=$(mktemp -d)
trap 'rm -rf "$fewest"' EXIT
cargo fuzz run -s none "$target" "$fewest" "corpus/$target" -- -set_cover_merge=1 -use_counters=0 -max_len=4096
find "corpus/$target" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
for input in "$fewest"/*; do
  name=$(basename "$input")
  # The inputs with a name are still there.
  find "corpus/$target" -type f -exec cmp -s {} "$input" \; -print -quit | grep -q . || cp "$input" "corpus/$target/$name"
done
