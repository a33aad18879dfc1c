// For measuring how long an image takes to load, by either backend: the memories, with calls to the simulator counted.
--top-module testbench
--vpi
-CFLAGS -I${UVM_DPI}
-LDFLAGS -Wl,--undefined=mb_report,--undefined=vpi_handle_by_name
-LDFLAGS -Wl,--wrap=vpi_handle_by_name,--wrap=vpi_handle_by_index,--wrap=vpi_handle,--wrap=vpi_get,--wrap=vpi_release_handle
-LDFLAGS -Wl,--wrap=vpi_chk_error,--wrap=vpi_get_value,--wrap=vpi_put_value,--wrap=vpi_get_value_array,--wrap=vpi_put_value_array
-LDFLAGS -Wl,--wrap=uvm_hdl_check_path,--wrap=uvm_hdl_read,--wrap=uvm_hdl_deposit
../rtl/memory_map.sv
../rtl/ram.sv
../rtl/ram.cpp
../rtl/scratch.sv
../rtl/sram.sv
../rtl/banked.sv
../rtl/memories.sv
../tb/vhost_pkg.sv
../tb/uvm_hdl.cpp
../tb/load_testbench.sv
../tb/load_cost.cpp
../tb/main.cpp
