#!/usr/bin/env bash
# Keeps of a target's corpus the inputs with a name, and of the others the fewest that reach all the code that they reach.
set -euo pipefail
cd "$(dirname "$0")"
target=$1
fewest=$(mktemp -d)
trap 'rm -rf "$fewest"' EXIT
cargo fuzz run -s none "$target" "$fewest" "corpus/$target" -- -merge=1 -set_cover_merge=1 -use_counters=0 -max_len=4096
found='.*/[0-9a-f]{40}'
find "corpus/$target" -type f -regextype posix-extended -regex "$found" -delete
for input in "$fewest"/*; do
  # One that has a name is there already.
  named=$(find "corpus/$target" -type f -regextype posix-extended -not -regex "$found" -exec cmp -s {} "$input" \; -print -quit)
  [ -n "$named" ] || cp "$input" "corpus/$target/$(basename "$input")"
done
