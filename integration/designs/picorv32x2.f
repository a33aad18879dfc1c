// Two cores.
-F picorv32.f
-GCORES=2
