# rolewarden's commands. `make test` is the one gate, for people and for CI.

# Seen from here: make takes a name with a blank for two, and a folder above may have one.
TOOLS := .ci/tools/venv
STAMP := $(TOOLS)/.stamp
NODE := .ci/tools/node_modules
NODE_STAMP := $(NODE)/.stamp
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUNCTIONS := $(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go))
# Nothing of the machine, the folder or the commit: the same source gives the same file.
LAMBDA_FLAGS := -tags lambda.norpc -trimpath -buildvcs=false -ldflags='-s -w -buildid='

export ROLEWARDEN_TOOLS := $(CURDIR)/$(TOOLS)
# The CDK runs on the first node of the path: the pinned one, or else the machine's own.
export PATH := $(CURDIR)/$(NODE)/.bin:$(PATH)

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: tools
tools: $(STAMP) $(NODE_STAMP) ## install the pinned CDK command line and the outside judges into ignored folders

$(STAMP): .ci/tools/requirements.txt
	python3 -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r .ci/tools/requirements.txt
	touch $@

$(NODE_STAMP): .ci/tools/package-lock.json
	cd .ci/tools && npm ci --silent --no-audit --no-fund
	touch $@

.PHONY: test
test: tools check ## everything: formatting, vet, staticcheck and all tests
	ROLEWARDEN_REQUIRE_TOOLS=1 go test ./...

.PHONY: check
check: ## formatting, vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted, run gofmt -w:"; echo "$$out"; exit 1; fi
	go build ./...
	go vet ./...
	go run $(STATICCHECK) ./...

.PHONY: lint
lint: ## the long list of linters (.golangci.yml); slow the first time
	go run $(GOLANGCI) run ./...

.PHONY: race
race: tools ## all tests under the race detector
	ROLEWARDEN_REQUIRE_TOOLS=1 go test -race ./...

.PHONY: build
build: ## dist/<function>/<arch>/bootstrap for arm64 and amd64, and dist/rolewarden
	@for f in $(FUNCTIONS); do for a in arm64 amd64; do \
		echo "dist/$$f/$$a/bootstrap"; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$a go build $(LAMBDA_FLAGS) -o dist/$$f/$$a/bootstrap ./functions/$$f || exit 1; \
	done; done
	go build -trimpath -o dist/rolewarden .

# The app by itself, as cdk synth would run it, to the same templates; without what the CDK's command
# line has to say of its own. It asks nobody: no account, no network.
# A deployment file may lie in a folder with blanks, so the shell takes its name apart.
SAMPLE = $(shell basename '$(DEPLOYMENT)' .yaml)
SYNTH = @CDK_OUTDIR='$(CURDIR)/$(1)' go run ./infra

.PHONY: synth
synth: $(NODE_STAMP) ## all templates of the samples into cdk.out/<way>, or of DEPLOYMENT=file (WAY=single|hub|members)
ifdef DEPLOYMENT
	$(call SYNTH,cdk.out/$(or $(WAY),$(SAMPLE))) -c deployment='$(DEPLOYMENT)' $(if $(WAY),-c way=$(WAY))
	@ls cdk.out/'$(or $(WAY),$(SAMPLE))'/*.json
else
	$(call SYNTH,cdk.out/single) -c deployment=testdata/deployments/single.yaml
	$(call SYNTH,cdk.out/hub) -c deployment=testdata/deployments/organization.yaml -c way=hub
	$(call SYNTH,cdk.out/members) -c deployment=testdata/deployments/organization.yaml -c way=members
	@ls cdk.out/single/*.json cdk.out/hub/*.json cdk.out/members/*.json
endif

.PHONY: demo
demo: ## the stories, in the lab
	go run . demo

.PHONY: bench
bench: tools ## the figures of README's table
	go test -run '^$$' -bench . -benchmem ./pkg/... ./functions/...

SECONDS ?= 120
RATE ?= 200
BURST ?= 20000
.PHONY: load
load: ## the built guard in the lab: RATE events a second for SECONDS, as many with one account sending most, a BURST
	ROLEWARDEN_LOAD_SECONDS=$(SECONDS) ROLEWARDEN_LOAD_RATE=$(RATE) ROLEWARDEN_LOAD_BURST=$(BURST) \
		go test ./functions/guard -count=1 -timeout 60m -v -run UnderLoad

QUESTIONS ?= 2000
.PHONY: solver
solver: tools ## z3 and pkg/proof on the same QUESTIONS
	ROLEWARDEN_REQUIRE_TOOLS=1 ROLEWARDEN_SMT=$(QUESTIONS) go test ./pkg/proof -count=1 -timeout 60m -v -run TheSolverAgrees

RUNS ?= 10000
.PHONY: laws
laws: ## what must change no verdict, each on RUNS documents
	ROLEWARDEN_LAWS=$(RUNS) go test ./pkg/rules -count=1 -timeout 60m -v -run TestLaw

DOCUMENTS ?= 100000
.PHONY: brute
brute: ## every request of a small world against pkg/proof, on DOCUMENTS documents
	ROLEWARDEN_BRUTE=$(DOCUMENTS) go test ./pkg/proof -count=1 -timeout 85m -v -run 'NoneMeansNone|MissesNothing'

TRIALS ?= 50000
SEED ?= 0
.PHONY: differential
differential: $(NODE_STAMP) ## access beside an evaluator of other make: TRIALS documents with 20 requests each, SEED=0 draws one
	ROLEWARDEN_REQUIRE_TOOLS=1 go test -count=1 -timeout 2h -v -run '^TestAnOutsideJudgeDecidesAlike$$' ./pkg/access \
		-differential.documents=$(TRIALS) -differential.seed=$(SEED)

STEPS ?= 1000000
.PHONY: chaos
chaos: ## the simulated world for STEPS steps: faults, crashes, lost and doubled events, foreign writers; then every invariant. SEED=0 draws one
	go test -count=1 -timeout 6h -v -run '^TestChaos$$' ./pkg/chaos -chaos.steps=$(STEPS) -chaos.seed=$(SEED)

STATES ?= 1000000
DEPTH ?= 30
.PHONY: model
model: ## every order of two handlings, foreign writes, a crash and lagging readings, DEPTH steps deep and STATES states wide in each of its cases
	go test -count=1 -timeout 6h -v -run '^TestModel$$' ./pkg/chaos -model.states=$(STATES) -model.depth=$(DEPTH)

.PHONY: mutants
mutants: ## break each operator and each rule once: every break must be noticed
	python3 .ci/tools/mutate.py $(ONLY)

FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	@go list ./... | while read -r p; do \
		d=$$(go list -f '{{.Dir}}' $$p); \
		for f in $$(grep -hoE '^func (Fuzz[A-Za-z0-9_]+)' $$d/*_test.go 2>/dev/null | sed 's/func //'); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done
