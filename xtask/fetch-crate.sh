#!/bin/sh
# Fetches the source of a Rust crate that ships C: xtask/fetch-crate.sh NAME@VERSION FOLDER creates
# FOLDER/NAME, or fails. cargo fetches it as a dependency of a temporary package.
set -eu
name=${1%@*} version=${1#*@}
mkdir -p "$2"
folder=$(cd "$2" && pwd)
[ ! -d "$folder/$name" ] || exit 0
work=$(mktemp -d "$folder/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
touch src/lib.rs
printf '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n%s = "=%s"\n' \
    "$name" "$version" >Cargo.toml
cargo vendor -q vendor >/dev/null
mv "vendor/$name" "$folder/$name"
