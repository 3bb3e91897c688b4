# shellcheck shell=bash disable=SC2154 # the settings and the options are those of install.sh
# What is different when install.sh runs out of an unpacked bundle: apt and uv ask the bundle and nobody else. Part of install.sh.

readonly RELEASE_KEY=/etc/slrt/release-key.pem

# open_bundle.sh has looked at every file of a bundle before it started us out of it.
from_bundle() { [[ $SOURCE == "$UNPACKED/source" ]]; }

asks_for_bundle() {
  local word
  for word; do
    [[ $word != --bundle ]] || return 0
  done
  return 1
}

# The key of the first bundle is the one that all later ones must be signed with.
pin_release_key() {
  from_bundle && [[ ! -e $RELEASE_KEY ]] || return 0
  mkdir -p "$(dirname "$RELEASE_KEY")"
  install_file "$UNPACKED/key.pem" "$RELEASE_KEY"
}

# install_file FROM TO: whole or not at all
install_file() {
  cp "$1" "$2.slrt-new"
  chmod 644 "$2.slrt-new"
  sync "$2.slrt-new"
  mv -T "$2.slrt-new" "$2"
  sync "$(dirname "$2")"
}

# An installation from a bundle that was cut off; its packages are of no use any more.
forget_unpacked_bundle() {
  ! from_bundle && [[ -d $UNPACKED ]] || return 0
  flock -n /run/slrt-bundle.lock rm -rf "$UNPACKED" || true
}

# The options that keep apt-get within the bundle, one a line.
apt_options() { ! from_bundle || printf '%s\n' -c "$UNPACKED/apt.conf"; }

# wheels_of_bundle FOLDER: its wheels as FOLDER/wheels, and the program that installs them as FOLDER/uv
wheels_of_bundle() {
  ln -s "$UNPACKED/content/wheels" "$1/wheels"
  quietly /usr/bin/python3 -m zipfile -e "$1"/wheels/uv-*.whl "$1/tools" ||
    fail "$EXIT_FAILED" "Pustaka Python dalam bundel tidak dapat dipakai." "Perbaiki yang disebut di atas (misalnya ruang disk), lalu ulangi."
  ln -s "$1"/tools/uv-*.data/scripts/uv "$1/uv"
  chmod +x "$1/uv"
}

# What to do where something cannot be fetched.
bundle_hint() { printf 'tanpa jaringan: bash install.sh --bundle slrt-node-%s.slrt' "$(release_name | cut -d+ -f1)"; }

# Makes a bundle, or the key that signs it. Needs a network, a Debian and the keyring of Debian, but not root.
make_bundle() {
  if [[ ${1-} == --new-key ]]; then
    [[ -n ${2-} ]] || usage "Pilihan --new-key memerlukan nama berkas."
    make_signing_key "$2"
    return
  fi
  local home=$SOURCE log
  [[ -w $SOURCE ]] || home=${HOME:?}/.local/state/slrt-bundle
  log=$home/demo/bundle.log
  mkdir -p "$home/demo"
  : >"$log"
  demo_environment "$home/.venv" "$log"
  cd "$SOURCE" || exit
  exec "$home/.venv/bin/python" -m provision.bundling "$@"
}

make_signing_key() {
  [[ ! -e $1 ]] || fail "$EXIT_USAGE" "$1 sudah ada; kunci lama tidak ditimpa." "Pilih nama lain."
  (umask 077 && openssl genpkey -algorithm ed25519 -out "$1" 2>/dev/null) ||
    fail "$EXIT_FAILED" "Kunci tidak dapat dibuat di $1." "Periksa foldernya dan paket openssl."
  say "Kunci penanda tangan: $1. Simpan di luar kantor, jangan di simpul; siapa memegangnya dapat membuat bundel yang dipercaya simpul."
  say "Sidik jari untuk kertas:"
  openssl pkey -in "$1" -pubout -outform DER | sha256sum | cut -c1-64 | sed 's/..../& /g; s/^/  /; s/ $//'
}
