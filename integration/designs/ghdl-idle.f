vhdl/vhost_pkg.vhd
integration/vhdl/core.vhd
integration/vhdl/idle/testbench.vhd
