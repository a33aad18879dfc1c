#!/bin/sh
# Fetches the source of a Debian package: xtask/fetch-source.sh PACKAGE FOLDER creates
# FOLDER/PACKAGE with the upstream source, or fails. apt's client fetches it from this machine's
# package sources. Nothing is installed, and the machine's package lists don't change: the lists are
# in FOLDER/.apt, and the next package uses them again.
set -eu
mkdir -p "$2/.apt/parts" "$2/.apt/lists/partial" "$2/.apt/cache"
folder=$(cd "$2" && pwd)
[ ! -d "$folder/$1" ] || exit 0
sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources |
    awk 'BEGIN { RS = "" } NR == 1' >"$folder/.apt/parts/source.sources"
work=$(mktemp -d "$folder/.apt/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
apt="apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$folder/.apt/parts
    -o Dir::State::Lists=$folder/.apt/lists -o Dir::Cache=$folder/.apt/cache -o APT::Sandbox::User=$(id -un)"
[ -f "$folder/.apt/updated" ] || $apt update
touch "$folder/.apt/updated"
$apt source --download-only "$1"
mkdir source
for archive in *.orig.tar.*; do
    case $archive in
    *.asc) ;;
    *) tar -xf "$archive" -C source --strip-components=1 ;;
    esac
done
mv source "$folder/$1"
