# Everything a newcomer types. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# What the tests need of Debian 12; the demo world needs only the first.
PACKAGES = postgresql dovecot-imapd chromium fonts-dejavu-core
FUZZTIME = 20s

# The commit is stamped into the program where git can tell it: not in an
# unpacked archive, and not in a checkout that belongs to another user.
STAMP = $(shell git status >/dev/null 2>&1 && echo auto || echo false)

.PHONY: help build run test deps fuzz bench prove mail-pictures

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## bin/postern
	@go build -buildvcs=$(STAMP) -o bin/postern ./cmd/postern
	@echo "built bin/postern"

run: PACKAGES = postgresql
run: deps build ## the demo world, on this machine
	@exec bin/postern demo

test: deps ## everything that must hold
	@.ci/test

deps: ## the Debian packages, installed by root or asked for
	@.ci/deps $(PACKAGES)

fuzz: ## each fuzz target for FUZZTIME (20s)
	@.ci/fuzz $(FUZZTIME)

bench: PACKAGES = postgresql dovecot-imapd
bench: deps ## how fast it is, beside a pipeline without rules
	@go run ./cmd/bench

prove: PACKAGES = postgresql
prove: deps ## nothing lost, nothing twice, with 50 kills
	@go run ./cmd/prove

mail-pictures: PACKAGES = chromium fonts-dejavu-core
mail-pictures: deps ## every mail in English, in light, dark and on a phone
	@.ci/mail-pictures
