#!/bin/sh
# Installs what some tests need and pip cannot: a browser, promtool, nginx, a C compiler, PostgreSQL and Node.js, each only where it is missing.
# As root on Debian or Ubuntu it installs; elsewhere it says what to install; those tests then fail in CI and are skipped elsewhere.
# Nothing it installs is left running: the packages are kept from starting their services.
set -eu

any_of() {
  for name in "$@"; do
    if command -v "$name" >/dev/null 2>&1 || [ -x "/usr/sbin/$name" ]; then
      return 0
    fi
  done
  return 1
}

wanted=""
any_of chromium chromium-browser google-chrome google-chrome-stable || wanted="$wanted chromium"
any_of promtool && any_of prometheus || wanted="$wanted promtool"
any_of nginx || wanted="$wanted nginx"
any_of cc gcc clang || wanted="$wanted compiler"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || any_of initdb || wanted="$wanted postgresql"
{ any_of node && any_of npm; } || wanted="$wanted node"
[ -n "$wanted" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "some tests need components that are not on the PATH:$wanted" >&2
  echo "hint: on Debian and Ubuntu, sudo apt-get install --no-install-recommends chromium prometheus nginx-light gcc libc6-dev postgresql nodejs npm" >&2
  echo "hint: on macOS, brew install --cask chromium and brew install prometheus nginx postgresql node" >&2
  exit 0
fi

# Maintainer scripts ask this policy before they start a service; 101 forbids. A policy of the machine's own is kept.
policy=/usr/sbin/policy-rc.d
made_policy=""
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  made_policy=1
fi
withdraw_policy() {
  if [ -n "$made_policy" ]; then
    rm -f "$policy"
  fi
}
trap withdraw_policy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export DEBIAN_FRONTEND=noninteractive
echo "installing once, for tests:$wanted" >&2
apt-get update -qq || echo "the package lists could not be refreshed" >&2

for component in $wanted; do
  case "$component" in
    chromium) packages="chromium fonts-dejavu-core" ;;
    promtool) packages="prometheus" ;;
    nginx) packages="nginx-light" ;;
    node) packages="nodejs npm" ;;
    compiler) packages="gcc libc6-dev" ;;
    postgresql) packages="postgresql" ;;
  esac
  # shellcheck disable=SC2086  # one package or several
  if ! apt-get install -y -qq --no-install-recommends $packages >/dev/null; then
    echo "$component could not be installed; its tests fail in CI and are skipped elsewhere" >&2
  fi
done
