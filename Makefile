# Copyright The Revenium OpenTelemetry Go Authors
# SPDX-License-Identifier: Apache-2.0

# Everything runs from the root: go.work ties the modules together. The pinned
# tools live in a module of their own outside the workspace (tools/go.mod) and
# are built into .bin.

GO      ?= go
BIN     := $(CURDIR)/.bin
MODULES := $(shell $(GO) list -m -f '{{.Dir}}')
# Modules that cannot be built in one workspace with the others: Genkit 1.4 needs
# an older invopop/jsonschema than Anthropic's client does.
OUTSIDE := $(CURDIR)/instrument/reveniumgenkit

# Packages in which goroutines live are tested with the race detector, where the
# machine has the C compiler that it needs.
CONCURRENT := . ./exporter/... ./instrument/... ./instrument/propagate/propagategrpc/... ./testing/reveniumtest/... \
	./testing/llmtest/... ./testing/metertest/... ./testing/collectortest/... ./testing/conformance/... ./cmd/revenium-otel/... ./examples/... \
	./examples/cli/... ./examples/getting-started/... ./examples/head-sampled/... ./examples/litellm-collector/... ./exporter/reveniumexporter/... ./testing/replay/...
# One module for each client library; they start no goroutine of their own.
ADAPTERS   := ./instrument/reveniumanthropic/... ./instrument/reveniumbedrock/... ./instrument/reveniumeino/... \
	./instrument/reveniumgenai/... ./instrument/reveniumgoopenai/... ./instrument/reveniumlangchaingo/... ./instrument/reveniumollama/... \
	./instrument/reveniumopenai/...
SEQUENTIAL := $(ADAPTERS) ./testing/llmtest/clients/... ./semconv/... ./exporter/convert/pdataview/... ./testing/spancheck/... ./tools/semconvgen/... ./testing/bench/... ./testing/bench/peers/... ./testing/collector/...
RACE       := $(shell if [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v "$$($(GO) env CC)" >/dev/null 2>&1; then echo -race; fi)

# The environment of the machine must not decide what is tested: no setting of ours,
# of OpenTelemetry or of a provider's client reaches a command.
unexport $(filter REVENIUM_% OTEL_% LITELLM_% OPENAI_% ANTHROPIC_% GOOGLE_% GEMINI_% AWS_% AZURE_% GCP_% OLLAMA_% GENKIT_% \
	ENVIRONMENT DEPLOYMENT_ENV,$(.VARIABLES))

.DEFAULT_GOAL := test

.PHONY: test
test: ## Test every module.
ifeq ($(RACE),)
	@echo "no C compiler: testing without the race detector"
endif
	$(GO) test $(RACE) $(CONCURRENT)
	$(GO) test $(SEQUENTIAL)
	@set -e; for dir in $(OUTSIDE); do (cd $$dir && GOWORK=off $(GO) test ./...); done

.PHONY: generate
generate: $(BIN)/mdatagen $(BIN)/builder ## Regenerate semconv's and the Collector component's generated files.
	$(GO) run ./tools/semconvgen
	cd exporter/reveniumexporter && $(BIN)/mdatagen metadata.yaml
	GOWORK=off $(BIN)/builder --config cmd/otelcol-revenium/manifest.yaml --skip-compilation

.PHONY: generate-check
generate-check: $(BIN)/mdatagen $(BIN)/builder ## Fail when a generated file is stale.
	$(GO) run ./tools/semconvgen -check
	@set -e; tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
		cp -R exporter/reveniumexporter "$$tmp/"; \
		(cd "$$tmp/reveniumexporter" && GOWORK=off $(BIN)/mdatagen metadata.yaml); \
		diff -r exporter/reveniumexporter "$$tmp/reveniumexporter" || { echo "stale: run make generate"; exit 1; }; \
		mkdir -p "$$tmp/cmd/otelcol-revenium"; \
		(cd "$$tmp" && GOWORK=off $(BIN)/builder --config $(CURDIR)/cmd/otelcol-revenium/manifest.yaml --skip-compilation --skip-get-modules >/dev/null 2>&1); \
		for file in components.go main.go main_others.go main_windows.go; do \
			diff cmd/otelcol-revenium/$$file "$$tmp/cmd/otelcol-revenium/$$file" || { echo "stale: run make generate"; exit 1; }; \
		done

.PHONY: lint
lint: $(BIN)/golangci-lint ## Lint every module.
	@set -e; for dir in $(MODULES); do echo "lint $${dir#$(CURDIR)}"; (cd $$dir && $(BIN)/golangci-lint run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...); done
	@set -e; for dir in $(OUTSIDE); do echo "lint $${dir#$(CURDIR)}"; (cd $$dir && GOWORK=off $(BIN)/golangci-lint run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: fmt
fmt: $(BIN)/golangci-lint ## Format every module.
	@set -e; for dir in $(MODULES) $(OUTSIDE); do (cd $$dir && $(BIN)/golangci-lint fmt --config $(CURDIR)/.golangci.yml); done

.PHONY: bench
bench: ## Run the benchmarks of docs/benchmarks.md.
	$(GO) test -run '^$$' -bench . -benchmem -count $(or $(COUNT),1) ./testing/bench/...

.PHONY: bench-peers
bench-peers: ## Measure against the OpenTelemetry SDK and Collector: tables for docs/benchmarks.md in OUTPUT.
	$(GO) run ./testing/bench/peers -output $(or $(OUTPUT),bench-peers.md) $(PEERS_FLAGS)

.PHONY: bench-packages
bench-packages: ## Run the benchmarks that stand beside the code.
	$(GO) test -run '^$$' -bench . -benchmem ./exporter/... ./instrument/...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME each (default 30s).
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' exporter instrument semconv cmd | sort | while read -r file; do \
		pkg=./$$(dirname $$file); \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "fuzz $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 10x $$pkg; \
		done; \
	done

.PHONY: examples
examples: ## Run every example as a newcomer would.
	@set -e; for main in examples/*/main.go; do echo "go run ./$${main%/main.go}"; $(GO) run ./$${main%/main.go}; done

.PHONY: standalone
standalone: ## Build and vet every module without the workspace, as its users would.
	@set -e; for dir in $(MODULES) $(OUTSIDE); do echo "GOWORK=off go vet $${dir#$(CURDIR)}"; (cd $$dir && GOWORK=off $(GO) build -o /dev/null ./... && GOWORK=off $(GO) vet ./...); done

.PHONY: tidy
tidy: ## Tidy every go.mod, each by itself: its users have no workspace.
	@set -e; for dir in $(MODULES) $(OUTSIDE) $(CURDIR)/tools; do (cd $$dir && GOWORK=off $(GO) mod tidy); done

.PHONY: tidy-check
tidy-check: ## Fail when a go.mod is not tidy.
	@set -e; for dir in $(MODULES) $(OUTSIDE); do (cd $$dir && GOWORK=off $(GO) mod tidy -diff); done

.PHONY: versions-check
versions-check: $(BIN)/multimod ## Check versions.yaml against the modules.
	$(BIN)/multimod verify

.PHONY: ci
ci: generate-check tidy-check versions-check lint test standalone examples ## All that .ci/run checks.

.PHONY: help
help: ## Show this text.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(BIN)/golangci-lint $(BIN)/multimod $(BIN)/benchstat $(BIN)/builder $(BIN)/mdatagen &: tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	GOWORK=off $(GO) -C tools build -o $(BIN)/ tool
	@touch $(BIN)/golangci-lint $(BIN)/multimod $(BIN)/benchstat $(BIN)/builder $(BIN)/mdatagen
