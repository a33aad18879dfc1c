vhdl/vhost_pkg.vhd
integration/vhdl/core.vhd
integration/vhdl/testbench.vhd
integration/vhdl/pair.vhd
