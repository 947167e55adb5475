# Read by the scripts around tests/clients, in the project's folder: what the programs there need, and what of it is there.

CLIENTS=$PWD/tests/clients
# Node of this version or newer, and Python.
NODE=20
PYTHON=3.11

# Ours where it is there, as it is only where it was needed.
PATH=$CLIENTS/node/bin:$PATH

# What is missing, by name, with the reason in words; `packages` and `python` are those of the present lock files: copies
# of these lie beside them.
missing() {
    if ! has_node; then
        echo "node: there is no Node $NODE or newer"
    elif ! has_packages; then
        echo 'node: its packages have not been fetched'
    fi
    has_python || echo "python: there is no Python $PYTHON or newer with its packages"
    if [ -z "$(find_chromium)" ]; then
        echo "chromium: ${CHROMIUM:-it} is not installed, or does not start"
    elif ! has_graphiql; then
        echo 'chromium: GraphiQL has not been fetched'
    fi
}

has_node() {
    major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
    [ "${major:-0}" -ge "$NODE" ]
}

has_packages() {
    cmp -s "$CLIENTS/package-lock.json" "$CLIENTS/node_modules/package-lock.json"
}

has_python() {
    cmp -s "$CLIENTS/requirements.txt" "$CLIENTS/venv/requirements.txt" && "$CLIENTS/venv/bin/python" --version >/dev/null 2>&1
}

has_graphiql() {
    "$CLIENTS/../../scripts/fetch-graphiql" --check "$CLIENTS/graphiql"
}

# The one that CHROMIUM names, otherwise whichever is there. It has to start: the chromium-browser of some machines does
# nothing but recommend another package. Looked for when asked, as it may just have been installed.
find_chromium() {
    if [ -n "${CHROMIUM:-}" ]; then
        set -- "$CHROMIUM"
    else
        set -- chromium chromium-browser google-chrome '/Applications/Chromium.app/Contents/MacOS/Chromium' \
            '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
    fi
    for program; do
        if "$program" --version </dev/null >/dev/null 2>&1; then
            command -v "$program"
            return
        fi
    done
}
