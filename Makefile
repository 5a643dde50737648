# Every target does its whole set-up itself (tools/setup); what is there already is not installed again.
node := node_modules/.bin/node

.DEFAULT_GOAL := help
.PHONY: help demo test test-cgroup-v2 bench bench-api bench-channels build check clean

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do printf 'make %-14s %s\n' "$$name" "$$text"; done

demo: ## Run every example on this machine and show how its containers talk (root)
	@tools/setup/setup demo
	@$(node) tools/demo/demo.ts

test: ## Check the code, then run all tests: unit, node (root, real kernel), conformance
	@tools/setup/setup test
	@$(node) tools/test/run.ts

test-cgroup-v2: ## Run tests in a virtual machine with cgroup version 2 alone: slow (root); FILES=... for some
	@tools/setup/setup test
	@tools/cgroup-v2-machine/run $(FILES)

bench: ## Measure Peapod beside podman kube play and bare crun (root); BENCH=--quick for a short run
	@tools/setup/setup bench
	@$(node) bench/bench.ts $(BENCH)

bench-api: ## Measure the API: latency and throughput with 1, 100 and 1000 pods stored, and the idle daemon (root)
	@tools/setup/setup bench
	@$(node) bench/api.ts $(BENCH)

bench-channels: ## Measure what the channel observer costs: passes, CPU, and the load beside it (root)
	@tools/setup/setup bench
	@$(node) bench/channels.ts $(BENCH)

build: ## Build dist/, so that bin/peapod runs
	@tools/setup/setup build

check: ## Types, lint, format and unused code only
	@tools/setup/node-modules
	@npm run --silent check

clean: ## Remove what was built and installed in this folder
	rm -rf dist node_modules coverage bench/results
