# One door to the project. `make help` lists the targets.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Another Apache Spark than the one of requirements/spark.txt, in an environment of its own: make test-spark PYSPARK=4.0.5
PYSPARK ?=
SPARK := .spark$(addprefix -,$(PYSPARK))
WHEEL := target/wheels/.stamp
RUST_SOURCES := $(shell find crates -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
PYTHON_SOURCES := $(shell find python/millstream python/pyspark_millstream* -name '*.py' -o -name '*.pyi' -o -name py.typed 2>/dev/null)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dev: $(BIN)/python requirements/dev.txt
	$(BIN)/pip install --quiet --requirement requirements/dev.txt
	@touch $@

$(VENV)/.demo: $(BIN)/python requirements/demo.txt
	$(BIN)/pip install --quiet --no-deps --requirement requirements/demo.txt
	@touch $@

# Builds the wheel and installs it into .venv; all that is run or tested in Python is this wheel.
$(WHEEL): $(RUST_SOURCES) $(PYTHON_SOURCES) pyproject.toml README.md | $(VENV)/.dev
	$(BIN)/maturin build --quiet --interpreter $(BIN)/python --out target/wheels
	$(BIN)/pip install --quiet --force-reinstall --no-deps target/wheels/millstream-*.whl
	@touch $@

.PHONY: build
build: $(WHEEL) ## Build the wheel and install it into .venv

# The wheel as it is shipped, in a venv of its own: what is measured is what users have. Its native module is linked twice:
# with symbols, to see which functions a worker calls, and then with these side by side (docs/adr/0021).
DIST := dist/.venv
ORDER := $(CURDIR)/target/functions.order
RELEASE := $(BIN)/maturin build --quiet --profile release --strip false --interpreter $(BIN)/python
INTO_DIST := $(DIST)/bin/pip install --quiet --force-reinstall --no-deps
$(DIST)/.stamp: $(RUST_SOURCES) $(PYTHON_SOURCES) pyproject.toml README.md requirements/bench.txt bench/layout.py | $(VENV)/.dev
	$(PYTHON) -m venv $(DIST)
	$(DIST)/bin/pip install --quiet --requirement requirements/bench.txt
	$(RELEASE) --out target/unordered
	$(INTO_DIST) target/unordered/millstream-*.whl
	$(DIST)/bin/python bench/layout.py $(ORDER)
	MILLSTREAM_ORDER=$(ORDER) $(RELEASE) --out dist
	$(INTO_DIST) dist/millstream-*.whl
	@touch $@

.PHONY: dist
dist: $(DIST)/.stamp ## Build the wheel as it is shipped, into dist/ (needs valgrind; release profile, 15 minutes from nothing)

.PHONY: demo
demo: $(WHEEL) $(VENV)/.demo ## Run the deck's job on 336,776 flights (SECOND=1: two processes share the shards)
	$(BIN)/python demo/run.py $(if $(SECOND),--second)

# The simulation is a workspace of its own, which finds in target/ what the main one has built.
SIM := cd sim && CARGO_TARGET_DIR=$(CURDIR)/target cargo

.PHONY: test
test: test-rust test-python ## Run all tests (the gate)

.PHONY: test-rust
test-rust: ## Run the Rust tests and examples, and 200 stories of the simulation
	cargo test --workspace --quiet
	$(SIM) test --quiet
	cargo run --quiet --example word_count -- --local
	cargo run --quiet --example shard_worker -- --local

.PHONY: test-python
test-python: $(WHEEL) ## Run the Python tests through the built wheel
	$(BIN)/python -m pytest

# Kills of one run of the chaos test, and the seed of its random moments.
KILLS ?= 50
SEED ?= 6

.PHONY: chaos
chaos: $(WHEEL) ## Kill programs with a checkpoint directory and without 50 times each at random moments, and compare (KILLS=200 SEED=7)
	MILLSTREAM_KILLS=$(KILLS) MILLSTREAM_SEED=$(SEED) $(BIN)/python -m pytest -s tests/test_recovery.py tests/test_kill.py

# How many stories; with a SEED given, that one alone is told.
SEEDS ?= 1000

# How long the fleet is in trouble.
CHAOS_SECONDS ?= 600

.PHONY: chaos-consumer
chaos-consumer: $(WHEEL) ## Trouble a fleet of six workers for ten minutes and compare what was put with what was processed (CHAOS_SECONDS=60 SEED=7)
	MILLSTREAM_CHAOS_SECONDS=$(CHAOS_SECONDS) MILLSTREAM_SEED=$(SEED) $(BIN)/python -m pytest -s tests/test_consumer_chaos.py

.PHONY: sim
sim: ## Simulate a fleet of workers in trouble: SEEDS=10000 stories, or one aloud with SEED=7 (docs/simulation.md)
	$(SIM) run --quiet -- $(if $(filter file,$(origin SEED)),seeds $(SEEDS),seed $(SEED))

.PHONY: sim-mutants
sim-mutants: ## Break each safety rule on purpose, and show which story of the simulation catches it
	$(SIM) run --quiet -- mutants

.PHONY: sim-growth
sim-growth: ## Measure a simulated fleet of 100 workers and 10,000 leases of which a third dies (a minute or more)
	$(SIM) run --quiet -- growth

.PHONY: conformance
conformance: $(WHEEL) ## Try the local service with AWS's SDKs, the Java KCL and kinesalite's tests (tests/conformance)
	$(BIN)/python tests/conformance/run.py $(SUITES)

$(VENV)/.extras: $(BIN)/python requirements/extras.txt
	$(BIN)/pip install --quiet --requirement requirements/extras.txt
	@touch $@

.PHONY: test-extras
test-extras: $(WHEEL) $(VENV)/.extras ## Test columns, SQL, and Spark's own examples where `make bench` has installed PySpark (installs pyarrow, duckdb and others)
	$(BIN)/python -m pytest python/tests/test_columns.py python/tests/test_sql.py
	$(BIN)/python -m pytest tests/test_sparks_examples.py

$(VENV)/.browser: $(BIN)/python requirements/browser.txt
	$(BIN)/pip install --quiet --requirement requirements/browser.txt
	@touch $@

.PHONY: test-browser
test-browser: $(WHEEL) $(VENV)/.browser ## Test the status page and the dashboard in Chromium (Debian's chromium and chromium-driver)
	$(BIN)/python -m pytest browser

.PHONY: pictures
pictures: $(WHEEL) $(VENV)/.browser ## Make the documentation's pictures of the dashboard anew (Chromium, as for test-browser)
	$(BIN)/python browser/pictures.py

.PHONY: test-postgres
test-postgres: ## Test the lease store in Postgres on a real server (needs Debian's package postgresql)
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { echo "Postgres is not installed: apt-get install postgresql"; exit 1; }
	cargo test --quiet --workspace --features millstream-lease/postgres --test postgres

# The last versions of the KCL 2 and of 3.4, and which cases (all, or a part of their names).
KCL2 := 2.7.2
KCL34 := 3.4.2
CASES ?=

.PHONY: interop
interop: ## Run our workers beside workers of the Java KCL on one lease table (needs Java 17 and Maven; 30 minutes)
	@command -v mvn >/dev/null && command -v java >/dev/null || { echo "Java or Maven is not installed: apt-get install openjdk-17-jdk-headless maven"; exit 1; }
	mvn --quiet --file tests/conformance/kcl/pom.xml dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/target/kcl.classpath
	mvn --quiet --file tests/conformance/kcl/pom.xml dependency:build-classpath -Dkcl.version=$(KCL2) -Dmdep.outputFile=$(CURDIR)/target/kcl2.classpath
	mvn --quiet --file tests/conformance/kcl/pom.xml dependency:build-classpath -Dkcl.version=$(KCL34) -Dmdep.outputFile=$(CURDIR)/target/kcl34.classpath
	mvn --quiet --file tests/interop/kcl1/pom.xml dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/target/kcl1.classpath
	KCL_CLASSPATH=$$(cat target/kcl.classpath) KCL1_CLASSPATH=$$(cat target/kcl1.classpath) KCL2_CLASSPATH=$$(cat target/kcl2.classpath) KCL34_CLASSPATH=$$(cat target/kcl34.classpath) cargo test --workspace --test consumer -- --ignored --nocapture $(or $(CASES),interop::)

.PHONY: lint
lint: $(VENV)/.dev ## Check formatting, lints and types
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(SIM) fmt --check
	$(SIM) clippy --all-targets --quiet -- -D warnings
	cd bench/limit && cargo fmt --check && CARGO_TARGET_DIR=$(CURDIR)/target cargo clippy --quiet -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy python/millstream python/pyspark_millstream python/pyspark_millstream_name
	@if command -v cargo-deny >/dev/null; then cargo deny --log-level error check licenses bans sources; else echo "cargo-deny is not installed: licences not checked"; fi

$(SPARK)/.installed: requirements/spark.txt requirements/dev.txt
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/pip install --quiet --requirement requirements/spark.txt
	$(if $(PYSPARK),$(SPARK)/bin/pip install --quiet pyspark==$(PYSPARK))
	@touch $@

$(SPARK)/.wheel: $(WHEEL) $(SPARK)/.installed
	$(SPARK)/bin/pip install --quiet --force-reinstall --no-deps target/wheels/millstream-*.whl
	@touch $@

# What to run of tests/spark: TESTS=tests/spark/test_cluster.py
TESTS ?= tests/spark

.PHONY: test-spark
test-spark: ## Test on real Apache Spark: a master and two workers on this machine (needs Java 17; installs PySpark into .spark; PYSPARK=4.0.5 another release)
	@command -v java >/dev/null || { echo "Java is not installed, which Spark needs: apt-get install openjdk-17-jdk-headless"; exit 1; }
	@$(MAKE) --no-print-directory $(SPARK)/.wheel
	$(SPARK)/bin/python -m pytest $(TESTS)

.PHONY: bench
bench: $(DIST)/.stamp ## Measure against PySpark 4.x in the same run (needs Java 17; installs PySpark into bench/.venv)
	$(DIST)/bin/python bench/run.py $(BENCH_FLAGS)

# Seconds for each target.
FUZZ_SECONDS ?= 60

# Coverage needs a flag that a stable compiler takes with RUSTC_BOOTSTRAP; sanitizers look for what no unsafe code can do.
.PHONY: fuzz
fuzz: ## Fuzz what reads requests and files of the local service (needs cargo-fuzz; FUZZ_SECONDS=600)
	cd fuzz && for target in $$(cargo fuzz list); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none $$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 || exit 1; \
	done

.PHONY: bench-consumer
bench-consumer: $(DIST)/.stamp ## Measure the consumer against the Java KCL and kcl-rs in the same run (needs Java 17 and Maven; installs them into bench/rivals)
	$(DIST)/bin/python bench/consumer.py $(BENCH_FLAGS)

.PHONY: bench-local
bench-local: ## Measure the local service against kinesalite, kinesis-local and moto in the same run (installs them into bench/local/rivals)
	cargo build --quiet --release --workspace --bin millstream
	$(PYTHON) bench/local/run.py $(BENCH_FLAGS)

.PHONY: docs
docs: ## Build the Rust documentation
	cargo doc --workspace --no-deps --quiet
	@echo "target/doc/millstream/index.html"

.PHONY: clean
clean: ## Remove what was built
	rm -rf target dist $(VENV) .spark .spark-* bench/.venv bench/rivals bench/local/rivals bench/local/client/target .demo
