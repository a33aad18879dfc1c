#!/bin/sh
# Fetches UVM for Verilator: xtask/fetch-uvm.sh FOLDER creates FOLDER/2020.3.1/src and
# FOLDER/2017.1.0/src, with uvm_pkg.sv, uvm_macros.svh and dpi/. The source is Debian's source
# package of Verilator. apt's client fetches it from this machine's package sources. Nothing is
# installed, and the machine's package lists don't change.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p parts lists/partial cache source
sed 's/^Types:.*/Types: deb-src/; s/^Suites:.*/Suites: sid/' /etc/apt/sources.list.d/debian.sources |
    awk 'BEGIN { RS = "" } NR == 1' >parts/sid.sources
apt="apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$work/parts -o Dir::State::Lists=$work/lists
    -o Dir::Cache=$work/cache -o APT::Sandbox::User=$(id -un)"
$apt update
$apt source --download-only verilator
version=$(echo verilator_*.dsc | sed 's/verilator_\(.*\)\.dsc/\1/')
if ! dpkg --compare-versions "$version" ge 5.048; then
    echo "fetch-uvm.sh: Verilator $version is older than 5.048" >&2
    exit 1
fi
tar -xf verilator_*.orig.tar.* -C source --strip-components=1 --wildcards '*/test_regress/t/uvm/*'
for uvm in v2020_3_1 v2017_1_0; do
    release=$(echo "$uvm" | tr -d v | tr _ .)
    rm -rf "${folder:?}/$release"
    mkdir -p "$folder/$release/src"
    # The file has all of UVM, including the macros.
    mv "source/test_regress/t/uvm/uvm_pkg_all_${uvm}_dpi.svh" "$folder/$release/src/uvm_pkg.sv"
    echo '// uvm_pkg.sv has the macros.' >"$folder/$release/src/uvm_macros.svh"
    mv "source/test_regress/t/uvm/$uvm/dpi" "$folder/$release/src/dpi"
done
