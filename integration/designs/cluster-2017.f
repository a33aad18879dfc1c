// The same with UVM 1800.2-2017-1.0.
-F cluster-rtl.f
-F uvm-2017.f
// The classes in the package of the testbench.
+define+OWN_PACKAGE
-F cluster-uvm.f
