# Muster's development. `make` lists the targets; all that is fetched or made is in .cache and bin.

SHELL := /bin/sh
.DEFAULT_GOAL := help

GO ?= go
PREFIX ?= /usr/local
MAN ?= $(PREFIX)/share/man/man1
BASH ?= $(PREFIX)/share/bash-completion/completions
ZSH ?= $(PREFIX)/share/zsh/site-functions
FISH ?= $(PREFIX)/share/fish/vendor_completions.d
PLUGINS ?= $(or $(DOCKER_CONFIG),$(HOME)/.docker)/cli-plugins
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/muster-dev/muster/cmd/cli.version=$(VERSION)

# Without stamps of the checkout the same source gives the same bytes, and no git is needed.
GOFLAGS += -buildvcs=false
export GOFLAGS

GOLANGCI_VERSION := v2.15.0
GOLANGCI := .cache/bin/golangci-lint-$(GOLANGCI_VERSION)

FUZZTIME ?= 60s

DEV := bin/dev
EXAMPLE := examples/microservices/compose.yaml
EXAMPLE_PROJECT := muster-microservices
EXAMPLE_URL = http://127.0.0.1:$${FRONTEND_PORT:-8080}/
EXAMPLE_TEXT := every service of this stack counted these words

# What needs an engine finds the one that was started here by what this puts into the environment.
with_engine = found=$$($(DEV) engine env) && eval "$$found" &&
# show prints a command as one would type it, and runs it on the engine.
show = @echo '$$ $(1)' && $(with_engine) $(1)

.PHONY: help build dev install install-plugin man completions test test-fake e2e faults races bench parity chaos logs-restart drop-in builders cover fuzz lint fmt golden docs engine engine-down peer images programs software demo demo-down clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name about; do printf '  %-14s %s\n' "$$name" "$$about"; done

build: ## compile bin/muster
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/muster ./cmd/muster

dev:
	@$(GO) build -o $(DEV) ./cmd/dev

install: build man completions ## install muster, its man pages and what shells complete it with below $(PREFIX)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(MAN)" "$(DESTDIR)$(BASH)" "$(DESTDIR)$(ZSH)" "$(DESTDIR)$(FISH)"
	install -m 755 bin/muster "$(DESTDIR)$(PREFIX)/bin/muster"
	install -m 644 bin/man1/*.1 "$(DESTDIR)$(MAN)"
	install -m 644 bin/completions/muster.bash "$(DESTDIR)$(BASH)/muster"
	install -m 644 bin/completions/_muster "$(DESTDIR)$(ZSH)/_muster"
	install -m 644 bin/completions/muster.fish "$(DESTDIR)$(FISH)/muster.fish"

# Where the docker CLI looks for its plugins: in the user's folder, or for everybody: make install-plugin PLUGINS=/usr/libexec/docker/cli-plugins
install-plugin: build ## install muster as `docker compose` for this user (PLUGINS names another folder)
	install -d "$(DESTDIR)$(PLUGINS)"
	install -m 755 bin/muster "$(DESTDIR)$(PLUGINS)/docker-compose"

man: dev
	@rm -rf bin/man1
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || date +%s)} $(DEV) man bin/man1

completions: build
	@mkdir -p bin/completions
	@bin/muster completion bash >bin/completions/muster.bash
	@bin/muster completion zsh >bin/completions/_muster
	@bin/muster completion fish >bin/completions/muster.fish
	@bin/muster completion powershell >bin/completions/muster.ps1

test: dev ## run all tests, on an engine too (ENGINE=28, 28c, 26 or 20 fetches that one)
	@$(DEV) test

test-fake: dev ## run the tests that need no engine
	@$(DEV) test --fake

e2e: dev ## run only the tests that need an engine, with the race detector
	@$(DEV) test --engine

faults: ## make every call to the engine in memory go wrong, in every way, and say how many were tried
	$(GO) test -count=1 -v -run '^TestEveryCallMayGoWrong$$' ./convergence

races: dev engine ## let commands that change one project run at once on an engine (ROUNDS=20)
	@$(with_engine) RACE_ROUNDS=$(or $(ROUNDS),20) $(GO) test -tags=e2e -run '^TestRacesOnEngine$$' -count=1 ./cmd/cli

bench: build dev engine ## measure what has limits, and run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...
	@$(with_engine) $(DEV) bench

parity: build dev ## compare with docker compose, file by file and field by field (ENGINE as for test; FILES="ports build" for some)
	@$(DEV) parity $(FILES)

builders: dev engine ## build with BuildKit itself beside the engine, as builders of docker buildx do (compiles it once, for minutes)
	@$(DEV) buildkit
	@$(with_engine) $(GO) test -tags=e2e,builders -count=1 -run TestRealBuilders ./cmd/cli

chaos: build dev engine ## kill muster in the middle of what it does, ROUNDS times (RESTARTS ends the engine that was started here, too)
	@$(with_engine) $(DEV) chaos --rounds $(or $(ROUNDS),50) --restarts $(or $(RESTARTS),0)

logs-restart: build dev engine ## restart the engine that was started here under logs -f, RESTARTS times
	@$(with_engine) $(DEV) logs-restart --restarts $(or $(RESTARTS),1)

drop-in: build dev ## compare with docker compose, command line by command line
	@$(DEV) drop-in

cover: ## say how much of the code the tests without an engine run through
	@mkdir -p .cache
	$(GO) test -coverpkg=./... -coverprofile=.cache/cover.out ./...
	@$(GO) tool cover -html=.cache/cover.out -o .cache/cover.html
	@$(GO) tool cover -func=.cache/cover.out | tail -n 1
	@echo "line by line: .cache/cover.html"

fuzz: ## look for lines of logs that are read wrongly, for FUZZTIME (60s) with each target
	$(GO) test -run '^$$' -fuzz '^FuzzFollow$$' -fuzztime $(FUZZTIME) ./logs
	$(GO) test -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZTIME) ./logs/record
	$(GO) test -run '^$$' -fuzz '^FuzzForms$$' -fuzztime $(FUZZTIME) ./logs/form

lint: $(GOLANGCI) ## look for mistakes and broken house rules
	$(GOLANGCI) run ./...

fmt: $(GOLANGCI) ## format the code
	$(GOLANGCI) fmt ./...

$(GOLANGCI):
	@echo "building golangci-lint $(GOLANGCI_VERSION), which takes some minutes once"
	@mkdir -p .cache/bin/part
	@GOBIN="$(CURDIR)/.cache/bin/part" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv .cache/bin/part/golangci-lint $@

golden: ## write the golden files of the tests anew
	@for folder in $$(grep -rl --include='*_test.go' 'Bool("update"' . | xargs -r -n 1 dirname | sort -u); do $(GO) test "$$folder" -update || exit 1; done

docs: build dev man completions ## write the list of commands into README.md, man pages and completions into bin
	@$(DEV) docs

engine: dev ## use the engine that answers, or fetch and start one
	@$(DEV) engine up

engine-down: dev ## end the engine that was started here
	@$(DEV) engine down

peer: dev ## fetch docker compose and buildx, to compare with
	@$(DEV) engine peer

images: dev engine ## make what the examples run: programs, and images of software
	@$(with_engine) $(DEV) images

software: dev engine ## make images of redis, postgres, nginx and busybox out of Debian's packages
	@$(with_engine) $(DEV) software

programs: dev engine ## compile the programs of examples/microservices
	@$(with_engine) $(DEV) programs

demo: build programs ## bring the example stack up and show it
	$(call show,bin/muster -f $(EXAMPLE) build)
	$(call show,bin/muster -f $(EXAMPLE) up -d --wait)
	@echo "\$$ open $(EXAMPLE_URL) and give it a text to count"
	@$(DEV) get --form text='$(EXAMPLE_TEXT)' --expect '$(EXAMPLE_TEXT)</td><td>done' "$(EXAMPLE_URL)"
	$(call show,bin/muster -f $(EXAMPLE) ps)
	$(call show,bin/muster -f $(EXAMPLE) logs --no-color)
	@echo
	@echo "The stack is up: $(EXAMPLE_URL)"
	@echo "  bin/muster -f $(EXAMPLE) logs -f"
	@echo "  LOG_LEVEL=debug bin/muster -f $(EXAMPLE) plan"
	@echo "  make demo-down"
	@echo "In a shell of your own, first:  eval \"\$$($(DEV) engine env)\""

demo-down: build dev ## remove the example stack
	$(call show,bin/muster -f $(EXAMPLE) down -v)
	@$(with_engine) $(DEV) leftovers $(EXAMPLE_PROJECT)

clean: engine-down ## end the engine that was started here and remove all that was fetched and made
	rm -rf bin .cache
