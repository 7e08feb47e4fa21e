# `make help` lists the targets. Needs the Rust toolchain and Debian's package manager, nothing else.
.POSIX:
.SUFFIXES:
.PHONY: help packages test fmt lint doc unit rules deny conformance interop demo dev bench bench-reconcile chaos cluster dlq-10k soak clean-sever

CARGO = cargo
# Where cargo puts its output; the same variable that cargo reads.
RELEASE = $${CARGO_TARGET_DIR:-target}/release

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

packages: ## install what is missing for private servers; no service is started, nothing else is changed
	@deploy/packages.sh faketime

test: packages fmt lint doc unit rules ## every check: format, lints, docs, tests, alert rules

fmt: ## is everything formatted?
	$(CARGO) fmt --all --check

lint: ## clippy on all targets, warnings denied
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

doc: ## documentation builds, warnings denied
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

unit: packages ## all tests of the workspace, against real private servers
	@# The tests that cross a process boundary start the workspace's own binaries.
	@# Built together with the tests, so that both use the same dependencies.
	$(CARGO) build --locked --workspace --bins --tests
	$(CARGO) test --locked --workspace

rules: ## Prometheus rules and their unit tests
	@command -v promtool >/dev/null || deploy/packages.sh prometheus
	deploy/prometheus/check

deny: ## licences, advisories and sources of everything that is linked, where cargo-deny is installed
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny --locked check; \
	else echo "make deny: cargo-deny is not installed, nothing was checked" >&2; fi

conformance: packages ## every connector through every fault of the matrix; ONLY=scim or ONLY=okta/person/crash/17 runs a part
	@# As it is shipped: what a worker's memory comes to is that of a release build.
	@$(CARGO) build --locked --release --workspace --bins
	@$(CARGO) test --locked --release --package sever-conformance --no-run
	@if [ -z "$(ONLY)" ]; then SEVER_CONFORMANCE=all $(CARGO) test --quiet --locked --release --package sever-conformance --test memory; fi
	@SEVER_CONFORMANCE=all SEVER_CONFORMANCE_ONLY="$(ONLY)" SEVER_CONFORMANCE_SEED="$(SEED)" SEVER_CONFORMANCE_LANES="$(LANES)" \
	  $(CARGO) test --quiet --locked --release --package sever-conformance --test matrix

interop: ## our connectors against programs that others wrote (scim2-server, oidc-provider), from their ordinary packages
	SEVER_INTEROP=1 $(CARGO) test --locked -p sever-interop -- --nocapture

demo: ## build, start the whole fleet on this machine, and take the access of 50 leavers and two integrations away
	@# Given servers need no packages.
	@if [ -z "$${DATABASE_URL:-}" ] || [ -z "$${AMQP_URL:-}" ]; then deploy/packages.sh; fi
	$(CARGO) build --locked --release --workspace --bins
	$(RELEASE)/sever demo

dev: ## the same fleet with a simulated company of 100 people in five systems, until Ctrl-C
	@if [ -z "$${DATABASE_URL:-}" ] || [ -z "$${AMQP_URL:-}" ]; then deploy/packages.sh; fi
	$(CARGO) build --locked --release --workspace --bins
	$(RELEASE)/sever dev

bench: packages ## opt-outs per second and latencies, beside a bare program that does only the irreducible work
	$(CARGO) build --locked --release --workspace --bins
	$(RELEASE)/sever-bench

chaos: packages ## ten minutes of kills, wipes, cuts and stalls under load, then one checker; CHAOS='--minutes 3 --seed 7' changes both
	$(CARGO) build --locked --release --workspace --bins
	$(RELEASE)/sever-chaos $(CHAOS)

dlq-10k: packages ## 10,000 dead letters are replayed while workers are killed: nothing lost, nothing twice (SEVER_DLQ_COUNT changes the number)
	$(CARGO) build --locked --release --workspace --bins
	SEVER_DLQ_COUNT=$${SEVER_DLQ_COUNT:-10000} $(CARGO) test --locked --release -p sever-tests --test it dead_letters::fire -- --nocapture

bench-reconcile: packages ## a million accounts and three million entitlements loaded, compared and promoted, beside bare COPY and plain SQL
	$(CARGO) build --locked --release -p sever-bench -p sever-provider-sim -p sever-reconciler -p sever-worker-okta --bins
	$(RELEASE)/sever-bench-reconcile

soak: packages ## ten minutes of random changes at the provider while people leave, inventories run and processes are killed (SEVER_SOAK_SECONDS)
	$(CARGO) build --locked --workspace --bins
	SEVER_SOAK_SECONDS=$${SEVER_SOAK_SECONDS:-600} $(CARGO) test --locked -p sever-tests --test it soak:: -- --nocapture

cluster: packages ## a cluster of three RabbitMQ nodes, killed in turn under load: is every confirmed message delivered?
	$(CARGO) build --locked --release -p sever-chaos --bins
	$(RELEASE)/sever-cluster

clean-sever: ## remove the data of `sever dev` and `sever demo`
	rm -rf .sever
