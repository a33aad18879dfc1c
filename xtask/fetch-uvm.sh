#!/bin/sh
# Fetches UVM's DPI code for Verilator into FOLDER/dpi: xtask/fetch-uvm.sh FOLDER
# Debian's source package of Verilator has it. apt's own client fetches that from where this machine's packages come from;
# nothing is installed, and the machine's package lists stay as they are.
set -eu
rm -rf "$1"
mkdir -p "$1/parts" "$1/lists/partial" "$1/cache" "$1/source"
cd "$1"
sed 's/^Types:.*/Types: deb-src/; s/^Suites:.*/Suites: sid/' /etc/apt/sources.list.d/debian.sources |
    awk 'BEGIN { RS = "" } NR == 1' >parts/sid.sources
apt="apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$PWD/parts -o Dir::State::Lists=$PWD/lists
    -o Dir::Cache=$PWD/cache -o APT::Sandbox::User=$(id -un)"
$apt update
$apt source --download-only verilator
version=$(ls verilator_*.dsc | sed 's/verilator_\(.*\)\.dsc/\1/')
dpkg --compare-versions "$version" ge 5.048 || { echo "fetch-uvm.sh: Verilator $version is older than 5.048" >&2 && exit 1; }
tar -xf verilator_*.orig.tar.* -C source --strip-components=1 --wildcards '*/test_regress/t/uvm/*/dpi/*'
# The latest UVM among them.
mv "$(find source -name dpi | sort | tail -n 1)" dpi
rm -rf source parts lists cache verilator_*
