# shellcheck shell=bash disable=SC2034,SC2154 # the settings are those of install.sh
# The release after this one: made beside it while the node works, then handed over to the program that is in it.

# A node whose services were all started once; what a killed installation left is finished, not upgraded.
is_in_service() { [[ -e /var/lib/slrt-provision/slrt.target.taken && -x $CURRENT/venv/bin/slrt-provision ]]; }

is_other_release() { [[ $(readlink "$CURRENT" 2>/dev/null) != "$RELEASES/$(release_name)" ]]; }

# Make the release and leave the one in use alone.
prepare() {
  read_options "$@"
  take_lock
  open_log "./install.sh prepare"
  make_next_release
}

make_next_release() {
  local release
  release=$(release_name)
  release_in_hand=$release
  begin_journal
  runtime_packages
  reached runtime-packages
  if is_whole "$RELEASES/$release"; then
    settled 2 "Program rilis $release: sudah ada"
  else
    make_release "$RELEASES/$release"
  fi
  # before the node is closed for it: its first start has to be a quick one
  compile_now "$RELEASES/$release"
}

# upgrade_node [the options of slrt-provision upgrade]: to the release of this source
upgrade_node() {
  local release code=0
  release=$(release_name)
  ! from_bundle || set -- --starts "$(bundle_starts)" "$@"
  if ! is_in_service; then
    fail "$EXIT_CONFIGURATION" "Simpul SLRT belum terpasang lengkap di mesin ini." "Jalankan dahulu: ./install.sh"
  fi
  # refused before minutes are spent; the release in use may be too old to be asked
  if "$CURRENT/venv/bin/slrt-provision" upgrade --help >/dev/null 2>&1; then
    "$CURRENT/venv/bin/slrt-provision" upgrade --check --release "$release" "$@" 9>&- || exit
  fi
  make_next_release
  "$RELEASES/$release/venv/bin/slrt-provision" upgrade --release "$release" "$@" 2>&1 9>&- | tee -ia "$LOG" || code=${PIPESTATUS[0]}
  ((code == 0)) || exit "$code"
}

# The versions over which the unpacked bundle may be put, as its signed list has them; a minus for none.
bundle_starts() {
  local listed
  listed=$(sed -n 's/^ "upgrades_from": \[\(.*\)\],$/\1/p' "$UNPACKED/content/manifest.json" | tr -d '" ')
  printf '%s' "${listed:--}"
}

# upgrade [FILE] [options]: from a bundle, or to the release of this source
upgrade() {
  if [[ -n ${1-} && $1 != --* ]]; then
    [[ -x $CURRENT/venv/bin/slrt-provision ]] || fail "$EXIT_CONFIGURATION" "Simpul SLRT belum terpasang di mesin ini." "Jalankan dahulu: ./install.sh"
    exec "$CURRENT/venv/bin/slrt-provision" upgrade "$@"
  fi
  take_lock
  open_log "./install.sh upgrade $*"
  upgrade_node "$@"
}

# hand_over WORDS: what the installed program does by itself
hand_over() {
  [[ -x $CURRENT/venv/bin/slrt-provision ]] || fail "$EXIT_CONFIGURATION" "Simpul SLRT belum terpasang di mesin ini." "Jalankan dahulu: ./install.sh"
  exec "$CURRENT/venv/bin/slrt-provision" "$@"
}
