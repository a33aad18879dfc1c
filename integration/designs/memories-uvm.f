// The same with UVM's HDL access, and the black box by bytes alone.
-F memories.f
-CFLAGS -I${UVM_DPI}
../tb/uvm_hdl.cpp
+define+BLACK_BOX_BY_BYTE
