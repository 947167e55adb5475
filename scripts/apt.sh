# Read by the scripts that install: saying what is wrong, and apt-get without any questions.

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "needs root for this, and there is no sudo: run it once as root."
    fi
}

# No questions, no restarts of other services, and patience with the updates that a fresh machine runs by itself.
# What packages say while they are installed is shown only when it goes wrong.
apt() {
    said=$(as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null 2>&1) || {
        printf '%s\n' "$said" | tail -n 30 >&2
        return 1
    }
}

apt_install() {
    echo "Installing $* with apt-get"
    if ! has_candidates "$@"; then
        apt update
    elif apt install -y --no-install-recommends "$@"; then
        return
    else
        # The lists may name versions that the mirror no longer has.
        echo "Trying again with fresh package lists"
        apt update
    fi
    apt install -y --no-install-recommends "$@" || die "apt-get could not install $*."
}

has_candidates() {
    for package in "$@"; do
        apt-cache show "$package" >/dev/null 2>&1 || return 1
    done
}
