# The newcomer's two commands. Each installs what is missing and nothing else, then is one cargo command,
# which also works by itself wherever PostgreSQL and a C compiler are installed.

.DEFAULT_GOAL := help
.PHONY: help run test check bench bench-data

help:
	@echo 'make run     start the server at http://localhost:8080, with GraphiQL at /'
	@echo 'make test    run all tests'
	@echo 'make check   formatting, lints and documentation, with every warning an error'
	@echo 'make bench   what it costs, beside the limit of the same machine, as a table'
	@echo 'make bench-data   makes 5,000,000 messages for it to look at, once'

# GraphiQL is folded into the binary, so it has to be there before the build.
run:
	@scripts/install-postgres
	@scripts/fetch-graphiql
	cargo run --release

# Without GraphiQL: what the server does must not depend on it. To the end, also when a test fails: what was left out is
# said there.
test:
	@scripts/install-postgres
	@scripts/install-clients
	cargo test --no-fail-fast

# Private items too: the map of the code is written in them.
check:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --document-private-items

# Minutes of work for all cores; figures are ratios, because machines differ and are never quiet. Parts of it:
# cargo bench --bench cost -- history delivery
bench:
	@scripts/install-postgres
	cargo bench --bench cost

# Minutes, and 5 GB below target/, until a migration changes.
bench-data:
	@scripts/install-postgres
	cargo bench --bench cost -- data
