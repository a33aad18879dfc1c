#!/bin/sh
# Fetches UVM's DPI code for Verilator into FOLDER/dpi: xtask/fetch-uvm.sh FOLDER
# Debian's source package of Verilator has it. apt's own client fetches that from where this machine's packages come from;
# nothing is installed, and the machine's package lists stay as they are.
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
tar -xf verilator_*.orig.tar.* -C source --strip-components=1 --wildcards '*/test_regress/t/uvm/*/dpi/*'
rm -rf "$folder/dpi"
# The latest UVM among them.
mv "$(find source -name dpi | sort | tail -n 1)" "$folder/dpi"
