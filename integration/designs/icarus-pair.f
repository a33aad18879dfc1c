$(PICORV32)/picorv32.v
sv/icarus/mailbox_if.v
integration/icarus/chip.v
integration/icarus/testbench.v
integration/icarus/pair.v
