#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154 # what one part sets another reads
# Makes a bare Debian 12 or 13 an SLRT node, and repairs one: run it as often as you like.
#
#   ./install.sh [--unattended --district 73.03 --hostname slrt --admin admin.it] [--ups usb|driver|simulated|none] [--plan]
#   ./install.sh check [the same options]     only the questions asked before anything changes
#   ./install.sh demo [--port N]              the same system in the foreground: no root, no systemd, invented people
#   ./install.sh test [PATH…]                 sets up and runs the test suite
#
# Contents: 1 settings  2 words to the operator  3 runtime, step by step  4 hand over to slrt-provision
#           5 the end: address, sign-in, status  6 demo and test  7 the door
# In provision/shell: options (flags, answer file, questions) and addresses (what they may say of the network), preflight and
# hardware (the checks before anything changes), words, libraries (the Python of a release), bundle (one signed file instead of the
# network), upgrade (the way to the release after this one).
# Exit codes: 0 done · 1 failed · 2 usage · 75 try later · 78 this machine is not suitable.
set -euo pipefail

# ---------------------------------------------------------------------------------------------------- 1 settings

readonly LOG=/var/log/slrt-install.log
readonly LOCK=/run/slrt-install.lock
readonly HOME_FOLDER=/opt/slrt
readonly RELEASES=$HOME_FOLDER/releases
readonly CURRENT=$HOME_FOLDER/current
readonly SETTINGS=/etc/slrt/appliance.toml
readonly UNPACKED=/var/lib/slrt-install/bundle
readonly SIGN_IN=/root/slrt-first-sign-in.txt
readonly APT_PATIENCE=300 STATUS_PATIENCE=90 # seconds
readonly RUNTIME_PACKAGES=(python3-venv ca-certificates)
# what a release is made of; the tests stay behind
readonly PARTS=(appliance backups provision systemd webui install.sh pyproject.toml requirements.lock README.md LICENSE)
readonly EXIT_FAILED=1 EXIT_USAGE=2 EXIT_TRY_LATER=75 EXIT_CONFIGURATION=78 EXIT_STOPPED=137

# Read as the input of a shell (over SSH) this script has no folder; then it can only check.
script=${BASH_SOURCE[0]-}
SOURCE=
[[ -z $script ]] || SOURCE=$(cd "$(dirname "$script")" && pwd)
readonly SOURCE
if [[ -n $SOURCE ]]; then
  # each subject has a file of its own; what travels over SSH is joined instead
  for part in "$SOURCE"/provision/shell/*.sh; do
    # shellcheck source=/dev/null
    . "$part"
  done
fi

# --------------------------------------------------------------------------------------- 2 words to the operator

log_is_open=no told_before='' typed=''

# On the screen and in the log; what is said before anything may be changed is written there once the log is open.
say() {
  printf '%s\n' "$*"
  if [[ $log_is_open == yes ]]; then
    printf '%s\n' "$*" >>"$LOG"
  else
    told_before+="$*"$'\n'
  fi
}

# fail CODE WHAT-HAPPENED WHAT-TO-DO
fail() {
  say "Gagal: $2" >&2
  say "Langkah berikutnya: $3" >&2
  [[ $log_is_open == no ]] || say "Catatan lengkap: $LOG" >&2
  exit "$1"
}

# Runs a program whose output only matters when it fails.
quietly() {
  local from
  from=$(wc -c <"$LOG")
  printf '+ %s\n' "$*" >>"$LOG"
  # 9 is our lock; a service that a package starts must not inherit it
  "$@" >>"$LOG" 2>&1 9>&- && return
  local code=$?
  tail -c "+$((from + 1))" "$LOG" | tail -n 15 | sed 's/^/    /' >&2
  return "$code"
}

help() {
  cat <<'END'
Pemakaian:
  ./install.sh [pilihan]            memasang simpul SLRT di mesin ini, atau memperbaikinya
  ./install.sh check [pilihan]      hanya memeriksa apakah mesin ini siap; tidak mengubah apa pun
  ./install.sh validate BERKAS      memeriksa berkas jawaban
  ./install.sh demo [--port N]      peragaan di komputer ini, tanpa root dan tanpa memasang layanan
  ./install.sh test [BERKAS…]       menyiapkan dan menjalankan rangkaian uji
  ./install.sh bundle --key KUNCI   membuat satu berkas bertanda tangan untuk memasang tanpa jaringan (--new-key KUNCI: kuncinya)
  ./install.sh upgrade [BERKAS]     memperbarui simpul ke rilis ini, atau dari bundel; gagal berarti kembali seperti semula
  ./install.sh rollback             kembali ke rilis sebelumnya (--database: beserta data saat itu)
  ./install.sh uninstall            melepas program; data, cadangan dan kunci tetap

Pilihan:
  --district 73.03       kode kabupaten/kota Kemendagri
  --hostname slrt        nama mesin di jaringan kantor
  --admin admin.it       nama pengguna administrator pertama
  --ups usb              usb (APC Back-UPS), driver (merek lain), simulated (UPS simulasi) atau none (tanpa UPS)
  --ups-driver nutdrv_qx driver NUT untuk UPS merek lain
  --ups-device auto      tempat UPS itu: auto, /dev/ttyS0 atau alamat jaringan
  --ups-options 'a = 1'  pilihan lain driver itu, dipisah titik koma
  --ups-lan 192.168.1.10 bagikan UPS kepada komputer lain lewat alamat mesin ini; none: tidak
  --address 192.168.1.10/24  alamat tetap, dengan panjang jaringannya; --gateway ROUTER dan --dns SERVER menyertainya
  --dhcp AWAL-AKHIR      bagikan alamat itu kepada tablet, misalnya 192.168.1.100-192.168.1.200; none: tidak
  --ssh-from DAFTAR      dari mana SSH diterima, misalnya 192.168.1.20,192.168.2.0/24; none: seluruh jaringan kantor
  --upstream-dns DAFTAR  server untuk nama di luar kantor, misalnya 192.168.1.1; none: tidak ada
  --answers BERKAS       baca jawaban dari berkas (contoh: provision/node-answer.toml); auto: dari stik berlabel NODE-CFG
  --accept P21,P22       setujui peringatan dengan nomor itu; all: semuanya
  --lang en              hasil pemeriksaan dalam bahasa Inggris
  --bundle BERKAS        pasang dari bundel itu, tanpa jaringan
  --unattended           jangan bertanya
  --check                hanya memeriksa, seperti perintah check
  --plan                 hanya menampilkan apa yang akan diubah
END
}

usage() {
  # over SSH the words would be about another command
  [[ -z $SOURCE ]] || help >&2
  fail "$EXIT_USAGE" "$1" "Periksa penulisan perintah di atas."
}

# --------------------------------------------------------------------------------------------------- 3 runtime

# One installation at a time.
take_lock() {
  exec 9>"$LOCK"
  flock -n 9 || fail "$EXIT_TRY_LATER" "Pemasangan lain sedang berjalan." "Tunggu sampai selesai, lalu ulangi."
}

open_log() {
  touch "$LOG"
  chmod 600 "$LOG"
  printf '\n==== %s: %s\n' "$(date '+%F %T %Z')" "$*" >>"$LOG"
  printf '%s' "$told_before" >>"$LOG"
  log_is_open=yes
}

runtime() {
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
  switch_to "$release"
  reached runtime-switch
}

# Complete, and still with an interpreter: an upgrade of Debian takes the old one away.
is_whole() { [[ -e $1/.complete ]] && "$1/venv/bin/python" -c 'import click, cryptography' 2>/dev/null; }

runtime_packages() {
  pin_release_key
  if ! is_dpkg_whole; then
    begin 1 runtime-packages "Selesaikan paket Debian yang setengah terpasang"
    packages_program dpkg --configure -a --force-confold
  fi
  if has_all_packages; then
    [[ -n $step_in_hand ]] || settled 1 "Python: sudah ada"
    return
  fi
  begin 1 runtime-packages "Python (${RUNTIME_PACKAGES[*]})"
  local -a within
  mapfile -t within < <(apt_options)
  packages_program apt-get -q "${within[@]}" update -o APT::Update::Error-Mode=any
  packages_program apt-get -q "${within[@]}" -o DPkg::Lock::Timeout="$APT_PATIENCE" install --yes --no-install-recommends "${RUNTIME_PACKAGES[@]}"
}

# A power cut during an installation leaves packages unpacked but not configured, also when ours are whole.
is_dpkg_whole() {
  [[ $(dpkg-query -W -f='${db:Status-Status}\n' | grep -cE '^(unpacked|half-configured|triggers-)') == 0 ]] &&
    ! compgen -G '/var/lib/dpkg/updates/[0-9]*' >/dev/null
}

# apt-get or dpkg, with patience for another one, as there is after every boot
packages_program() {
  local from said deadline=$((SECONDS + APT_PATIENCE))
  while true; do
    from=$(wc -c <"$LOG")
    printf '+ %s\n' "$*" >>"$LOG"
    LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l "$@" >>"$LOG" 2>&1 9>&- && return
    said=$(tail -c "+$((from + 1))" "$LOG" | tail -n 12)
    grep -qE 'Could not get lock|Unable to acquire|(is|was) locked by another|Unable to lock' <<<"$said" || break
    ((SECONDS < deadline)) || fail "$EXIT_TRY_LATER" "Program apt lain sedang berjalan dan tidak selesai." "Tunggu, lalu ulangi."
    sleep 5
  done
  printf '%s\n' "$said" | sed 's/^/    /' >&2
  if grep -qE 'Temporary failure|Could not resolve|[Cc]ould not connect|Failed to fetch|Unable to connect|Connection failed' <<<"$said"; then
    fail "$EXIT_TRY_LATER" "Paket Debian tidak dapat diambil." "Periksa jaringan, lalu ulangi ./install.sh; $(bundle_hint)."
  fi
  fail "$EXIT_FAILED" "$1 gagal." "Perbaiki yang disebut di atas, lalu ulangi ./install.sh."
}

release_name() {
  local version digest
  version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$SOURCE/appliance/__init__.py")
  digest=$(cd "$SOURCE" && list_sources | xargs -0 sha256sum | sha256sum | cut -c1-8)
  printf '%s+%s\n' "$version" "$digest"
}

# The files of a release, relative to the source folder, each ended by NUL, in one order everywhere.
list_sources() {
  cd "$SOURCE"
  local part
  for part in "${PARTS[@]}"; do
    [[ -e $part ]] || fail "$EXIT_FAILED" "Berkas $part tidak ada di $SOURCE." "Ambil ulang sumber programnya dengan lengkap."
  done
  find "${PARTS[@]}" -type f ! -name '*.py[co]' ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z
}

pack() { list_sources | tar -C "$SOURCE" --null --files-from=- --owner=0 --group=0 --numeric-owner --mtime="$BUILT UTC" --mode=u=rwX,go=rX -cf -; }

# Built where it will stay (an environment cannot be moved), and valid only once `.complete` is on the disk.
make_release() {
  local folder=$1
  begin 2 runtime-source "Berkas program ke $folder"
  rm -rf "$folder"
  mkdir -p "$folder/source"
  pack | tar -C "$folder/source" -xf -
  chmod -R u=rwX,go=rX "$folder/source"
  reached runtime-source
  begin 3 runtime-venv "Lingkungan Python $(/usr/bin/python3 -c 'import platform; print(platform.python_version())')"
  make_venv "$folder/venv" --without-pip
  reached runtime-venv
  begin 4 runtime-libraries "Pustaka Python (diperiksa dengan hash)"
  bring_wheels "$folder"
  names_of_libraries "$folder"
  install_wheels "$folder" -r "$folder/made/libraries"
  reached runtime-libraries
  begin 5 runtime-program "Program SLRT"
  install_wheels "$folder" slrt-node
  rm -rf "$folder/made"
  # all of it on the disk before the mark that says so
  sync -f "$folder"
  touch "$folder/.complete"
  sync "$folder/.complete" "$folder" "$RELEASES"
  reached runtime-program
}

switch_to() {
  local release=$1
  if [[ $(readlink "$CURRENT" 2>/dev/null) == "$RELEASES/$release" ]]; then
    settled 6 "Rilis yang dipakai: sudah $release"
    return
  fi
  begin 6 runtime-switch "Pakai rilis $release"
  ln -sfn "$RELEASES/$release" "$CURRENT.slrt-new"
  mv -T "$CURRENT.slrt-new" "$CURRENT"
  sync "$HOME_FOLDER"
  forget_old_releases
}

# The release in use and the one before it stay.
forget_old_releases() {
  local folder kept=0
  while read -r folder; do
    [[ $folder -ef $CURRENT ]] && continue
    kept=$((kept + 1))
    ((kept <= 1)) || rm -rf "$folder"
  done < <(find "$RELEASES" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | cut -d' ' -f2-)
}

# ------------------------------------------------------------------------------ 4 hand over to slrt-provision

provision() {
  local -a options
  mapfile -t options < <(wish)
  [[ -z ${given["stop-after"]-} || ${given["stop-after"]} == runtime-* ]] || options+=(--stop-after "${given["stop-after"]}")
  local code=0
  begin_compiling
  "$CURRENT/venv/bin/slrt-provision" apply --local "${options[@]}" 2>&1 9>&- | tee -ia "$LOG" || code=${PIPESTATUS[0]}
  end_compiling
  ((code == 0)) && return
  ((code == EXIT_STOPPED)) || say "Pemasangan belum selesai; yang sudah selesai tidak diulang. Sesudah diperbaiki, ketik lagi: $typed
Catatan lengkap: $LOG" >&2
  exit "$code"
}

show_plan() {
  local release
  release=$(release_name)
  has_all_packages || say "akan: pasang paket Debian ${RUNTIME_PACKAGES[*]}"
  is_whole "$RELEASES/$release" || say "akan: pasang program rilis $release di $RELEASES"
  [[ $(readlink "$CURRENT" 2>/dev/null) == "$RELEASES/$release" ]] || say "akan: pakai rilis $release"
  if [[ -x $CURRENT/venv/bin/slrt-provision ]]; then
    local -a options
    mapfile -t options < <(wish)
    "$CURRENT/venv/bin/slrt-provision" plan --local "${options[@]}"
  else
    say "Langkah selebihnya dapat ditampilkan setelah programnya terpasang."
  fi
}

# ------------------------------------------------------------------------- 5 the end: address, sign-in, status

finish() {
  local shown_before=$1 name address fingerprint said code=0
  name=$(hostname)
  address=$(hostname -I | tr ' ' '\n' | grep -m 1 '\.' || true)
  fingerprint=$(openssl x509 -in /etc/slrt/tls/ca.crt -noout -fingerprint -sha256 | cut -d= -f2)
  # its daemons report within seconds after their start
  said=$("$CURRENT/venv/bin/slrt" status --wait "$STATUS_PATIENCE" 2>&1) || code=$?
  say ""
  say "Simpul SLRT siap."
  say "  Alamat        : https://$name.local/${address:+  atau  https://$address/}"
  say "  Sertifikat CA : http://${address:-$name.local}/  (buka sekali di setiap tablet dan laptop)"
  say "  Sidik jari CA : $fingerprint"
  if [[ -e $SIGN_IN && $shown_before == no ]]; then
    # only on the screen: the log is kept for years
    printf '  Masuk pertama : (ditampilkan sekali ini; juga ada di %s)\n' "$SIGN_IN"
    sed 's/^/      /' "$SIGN_IN"
  elif [[ -e $SIGN_IN ]]; then
    say "  Masuk pertama : lihat $SIGN_IN"
  fi
  say "  Catatan       : $LOG"
  say "  Lama          : $((SECONDS - run_began)) detik"
  say ""
  say "$said"
  ((code == 0)) || fail "$EXIT_FAILED" "Simpul terpasang, tetapi belum semuanya baik." "Ikuti tanda → di atas, lalu: slrt status"
}

install() {
  read_options "$@"
  complete_options
  if [[ $only_check == yes ]]; then
    tell_check
    return
  fi
  say "$(words begin)"
  say "$(machine_facts)"
  preflight
  if [[ $only_plan == yes ]]; then
    show_plan
    return
  fi
  agree
  typed=./install.sh
  (($# == 0)) || typed+=$(printf ' %q' "$@")
  take_lock
  open_log "$typed"
  forget_unpacked_bundle
  local shown_before=no
  [[ ! -e $SIGN_IN ]] || shown_before=yes
  if is_in_service && is_other_release; then
    upgrade_node
  else
    runtime
  fi
  provision
  finish "$shown_before"
}

# Preflight alone; also read as the input of a shell on another machine.
check() {
  read_options "$@"
  complete_options
  tell_check
}

tell_check() {
  say "$(machine_facts)"
  preflight
  # what a person at this terminal would be asked is no reason to be refused yet
  if [[ $unattended == no ]] && ((${#unconfirmed[@]} > 0)); then
    say "$(words almost "${#unconfirmed[@]}" "$(list_unconfirmed)")"
    return
  fi
  agree
  say "$(words ready "$(os_release PRETTY_NAME)")"
}

# The runtime alone: what slrt-provision does first on another machine.
runtime_only() {
  read_options "$@"
  take_lock
  open_log "./install.sh runtime"
  if is_in_service && is_other_release; then
    upgrade_node
  else
    runtime
    compile_now "$(readlink -f "$CURRENT")"
  fi
}

# ---------------------------------------------------------------------------------------------- 6 demo and test

demo() {
  local home=$SOURCE log
  [[ -w $SOURCE ]] || home=${HOME:?}/.local/state/slrt-demo
  log=$home/demo/demo.log
  mkdir -p "$home/demo"
  [[ -e $log ]] || : >"$log"
  printf '\n==== %s\n' "$(date '+%F %T')" >>"$log"
  demo_environment "$home/.venv" "$log"
  say "Menjalankan peragaan; catatan: $log"
  cd "$SOURCE"
  exec > >(tee -ia "$log") 2>&1
  exec "$home/.venv/bin/python" -m provision.demo --folder "$home/demo" "$@"
}

demo_environment() {
  local venv=$1 log=$2 want
  want=$(release_name)
  # a developer's environment has everything already
  [[ ! -e $venv/prepared && $(cat "$venv/runtime" 2>/dev/null) != "$want" ]] || return 0
  /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$EXIT_CONFIGURATION" "Paket python3-venv belum terpasang." "Jalankan sebagai root: apt-get install python3-venv"
  say "Menyiapkan pustaka Python di $venv (sekali saja, 1 sampai 3 menit)"
  [[ -x $venv/bin/python ]] || /usr/bin/python3 -m venv "$venv" >>"$log" 2>&1
  demo_pip "$venv" "$log" --require-hashes -r "$SOURCE/provision/build.lock"
  demo_pip "$venv" "$log" --require-hashes --no-build-isolation -r "$SOURCE/requirements.lock"
  # built from a copy: the sources may be read-only
  local copy
  copy=$(mktemp -d)
  pack | tar -C "$copy" -xf -
  demo_pip "$venv" "$log" --no-deps --no-build-isolation --no-index --force-reinstall "$copy"
  rm -rf "$copy"
  printf '%s\n' "$want" >"$venv/runtime"
}

demo_pip() {
  local venv=$1 log=$2
  shift 2
  "$venv/bin/python" -m pip --disable-pip-version-check --no-input install --quiet "$@" >>"$log" 2>&1 && return
  tail -n 8 "$log" >&2
  fail "$EXIT_TRY_LATER" "Pustaka Python tidak dapat dipasang." "Periksa jaringan, lalu ulangi. Catatan: $log"
}

run_tests() {
  cd "$SOURCE"
  tests/prepare
  local log=.venv/test.log code=0
  say "Menjalankan uji; catatan: $SOURCE/$log"
  # all of it in six processes: most tests wait for a daemon, a browser or a machine
  (($#)) || set -- -n 6 --dist loadfile --no-loadscope-reorder
  .venv/bin/python -m pytest "$@" 2>&1 | tee -i "$log" || code=${PIPESTATUS[0]}
  exit "$code"
}

# -------------------------------------------------------------------------------------------------- 7 the door

main() {
  [[ -z $SOURCE ]] || ! asks_for_bundle "$@" || exec bash "$SOURCE/provision/open_bundle.sh" "$@"
  case ${1-} in
  -h | --help | help) help ;;
  '' | --*) install "$@" ;;
  check) check "${@:2}" ;;
  validate) validate "${@:2}" ;;
  demo) demo "${@:2}" ;;
  test) run_tests "${@:2}" ;;
  runtime) runtime_only "${@:2}" ;;
  release) release_name ;;
  pack) pack ;;
  bundle) make_bundle "${@:2}" ;;
  prepare) prepare "${@:2}" ;;
  upgrade) upgrade "${@:2}" ;;
  rollback | uninstall) hand_over "$@" ;;
  *) usage "Perintah $1 tidak dikenal." ;;
  esac
}

main "$@"
