# Rules that dvsim calls, with its variables.
.PHONY: build run
build:
	mkdir -p $(build_dir)
	cd $(build_dir) && $(build_cmd)

# The recordings of all runs are in one folder.
run:
	mkdir -p $(run_dir)
	cd $(proj_root) && $(run_cmd) $(or $(TRACES),traces) $(run_opts)
