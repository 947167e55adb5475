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
    if [ -z "$CHROMIUM" ]; then
        echo 'chromium: it is not installed'
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
    [ -f "$CLIENTS/graphiql/graphiql.min.js" ]
}

find_chromium() {
    for program in "$(command -v chromium)" "$(command -v chromium-browser)" "$(command -v google-chrome)" \
        '/Applications/Chromium.app/Contents/MacOS/Chromium' \
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
        if [ -x "$program" ]; then
            echo "$program"
            return
        fi
    done
}
export CHROMIUM="${CHROMIUM:-$(find_chromium)}"
