# rolewarden's commands. `make test` is the one gate, for people and for CI.

TOOLS := $(CURDIR)/.ci/tools/venv
STAMP := $(TOOLS)/.stamp
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LAMBDA_FLAGS := -tags lambda.norpc -trimpath -ldflags='-s -w -buildid='

export ROLEWARDEN_TOOLS := $(TOOLS)

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: tools
tools: $(STAMP) ## install the pinned outside judges (moto, the AWS command line) into an ignored folder

$(STAMP): .ci/tools/requirements.txt
	python3 -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check -r .ci/tools/requirements.txt
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
	@for f in guard notify; do for a in arm64 amd64; do \
		echo "dist/$$f/$$a/bootstrap"; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$a go build $(LAMBDA_FLAGS) -o dist/$$f/$$a/bootstrap ./functions/$$f || exit 1; \
	done; done
	go build -trimpath -o dist/rolewarden .

.PHONY: demo
demo: ## the stories, in the lab
	go run . demo

.PHONY: bench
bench: tools ## the figures of README's table
	go test -run '^$$' -bench . -benchmem ./pkg/... ./functions/...

FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	@go list ./... | while read -r p; do \
		d=$$(go list -f '{{.Dir}}' $$p); \
		for f in $$(grep -hoE '^func (Fuzz[A-Za-z0-9_]+)' $$d/*_test.go 2>/dev/null | sed 's/func //'); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done
