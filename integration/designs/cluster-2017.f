// The same with UVM 1800.2-2017-1.0.
-F cluster-rtl.f
-F uvm-2017.f
-F cluster-uvm.f
