#!/bin/sh
# Installs what the browser tests need and pip cannot: chromium. Does nothing where a browser is there already.
# As root on Debian or Ubuntu it installs; elsewhere it says what to install; those tests then fail in CI and are skipped elsewhere.
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null 2>&1; then
    exit 0
  fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing chromium for the browser tests (once)" >&2
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; then
    exit 0
  fi
  echo "chromium could not be installed; the browser tests fail in CI and are skipped elsewhere" >&2
  exit 0
fi

echo "the browser tests need chromium, which is not on the PATH" >&2
echo "hint: on Debian and Ubuntu, sudo apt-get install --no-install-recommends chromium; on macOS, brew install --cask chromium" >&2
