// The scratch memory by bytes alone: the testbench has no functions for blocks.
-F picorv32.f
+define+BLACK_BOX_BY_BYTE
