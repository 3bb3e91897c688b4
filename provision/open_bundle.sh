#!/usr/bin/env bash
# Installs from a signed bundle, with no network: copies it, looks at all of it, unpacks it, and hands over to the install.sh in it.
#
#   bash install.sh [--bundle FILE] [COMMAND] [OPTIONS]     commands and options are those of the install.sh in the bundle
#
# Stands alone: on a stick this file is named install.sh and lies beside the bundle with nothing else. Until the bundle was found whole
# and rightly signed nothing on the machine is changed; what is refused leaves no trace. docs/bundle.md tells the why.
# Exit codes: 0 done · 1 failed · 2 usage · 75 try later · 78 this machine is not suitable.
set -euo pipefail

# provision/apt.py and shell/bundle.sh know this folder
readonly STATE=/var/lib/slrt-install
readonly UNPACKED=$STATE/bundle
readonly KEPT=$STATE/bundles # RELEASE.slrt, for the backup sticks and for a repair
readonly RELEASES=/opt/slrt/releases
readonly PINNED=/etc/slrt/release-key.pem
readonly LOCK=/run/slrt-bundle.lock
readonly SPARE_KIB=$((64 * 1024))
readonly NAME='^[A-Za-z0-9][A-Za-z0-9._+~-]*(/[A-Za-z0-9][A-Za-z0-9._+~-]*)*$'
readonly EXIT_FAILED=1 EXIT_USAGE=2 EXIT_TRY_LATER=75 EXIT_CONFIGURATION=78

bundle='' unattended=no origin=$PWD
arguments=()

say() { printf '%s\n' "$*"; }

# fail CODE WHAT-HAPPENED WHAT-TO-DO
fail() {
  say "Gagal: $2" >&2
  say "Langkah berikutnya: $3" >&2
  exit "$1"
}

broken() { fail "$EXIT_FAILED" "Bundel $(basename "$bundle") rusak atau diubah: $1. Belum ada yang diubah di mesin ini." "Salin lagi bundelnya dari sumber aslinya, lalu ulangi."; }

read_arguments() {
  while (($#)); do
    case $1 in
    --bundle)
      [[ -n ${2-} ]] || fail "$EXIT_USAGE" "Pilihan --bundle memerlukan nama berkas." "Contoh: bash install.sh --bundle /media/stik/slrt-node-1.0.0.slrt"
      bundle=$2
      shift
      ;;
    --unattended)
      unattended=yes
      arguments+=("$1")
      ;;
    *) arguments+=("$1") ;;
    esac
    shift
  done
}

# Without --bundle: the one that lies beside this file.
find_bundle() {
  if [[ -z $bundle ]]; then
    local here found
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    found=("$here"/*.slrt)
    [[ -e ${found[0]} ]] || fail "$EXIT_USAGE" "Tidak ada bundel (slrt-node-….slrt) di $here." "Sebutkan tempatnya: bash install.sh --bundle BERKAS"
    ((${#found[@]} == 1)) || fail "$EXIT_USAGE" "Ada ${#found[@]} bundel di $here: ${found[*]##*/}." "Sebutkan satu: bash install.sh --bundle BERKAS"
    bundle=${found[0]}
  fi
  [[ -f $bundle && -r $bundle ]] || fail "$EXIT_USAGE" "Bundel $bundle tidak ada atau tidak dapat dibaca." "Periksa stik dan nama berkasnya."
}

check_machine() {
  ((EUID == 0)) || fail "$EXIT_CONFIGURATION" "Pemasangan memerlukan hak root." "Ulangi dengan sudo: sudo bash $0"
  local id='' version='' key value
  while IFS='=' read -r key value; do
    [[ $key != ID ]] || id=${value//\"/}
    [[ $key != VERSION_ID ]] || version=${value//\"/}
  done </etc/os-release
  [[ $id == debian && $version =~ ^(12|13)$ ]] || fail "$EXIT_CONFIGURATION" "Mesin ini bukan Debian 12 atau 13." "Pasang Debian 12 atau Debian 13."
  debian=$version
}

# The copy that is kept, what is unpacked from it, and some air; all of it beside what the installation itself asks for.
check_room() {
  local need free
  need=$(($(stat -Lc %s "$bundle") * 2 / 1024 + SPARE_KIB))
  free=$(df -Pk /var/lib | awk 'NR == 2 { print $4 }')
  ((free >= need)) || fail "$EXIT_CONFIGURATION" "Ruang kosong untuk /var/lib hanya $((free / 1024)) MiB; bundel ini memerlukan $((need / 1024)) MiB." "Kosongkan atau perbesar disk."
}

take_lock() {
  exec 8>"$LOCK"
  flock -n 8 || fail "$EXIT_TRY_LATER" "Pemasangan lain dari bundel sedang berjalan." "Tunggu sampai selesai, lalu ulangi."
}

forget_unpacked() {
  rm -rf "$UNPACKED"
  rmdir --ignore-fail-on-non-empty "$STATE" 2>/dev/null || true
}

# What is checked is the copy on the disk, and only that is used: a stick may read differently the second time.
copy_bundle() {
  forget_unpacked
  trap forget_unpacked EXIT
  trap 'exit 130' INT TERM HUP
  install -d -m 0700 "$STATE"
  mkdir -m 0700 "$UNPACKED" "$UNPACKED/content"
  cp "$bundle" "$UNPACKED/whole.slrt" 2>/dev/null || broken "tidak terbaca sampai akhir"
}

# Only plain files with plain names, none twice, before anything is written by their names.
unpack() {
  local listed
  listed=$(LC_ALL=C tar -tvf "$UNPACKED/whole.slrt" 2>/dev/null) || broken "bukan bundel, atau terpotong"
  [[ -n $listed ]] || broken "kosong"
  ! grep -qv '^-' <<<"$listed" || broken "berisi jenis berkas yang tidak boleh ada"
  listed=$(LC_ALL=C tar -tf "$UNPACKED/whole.slrt" 2>/dev/null)
  ! grep -qvE "$NAME" <<<"$listed" || broken "berisi nama berkas yang tidak boleh ada"
  [[ -z $(sort <<<"$listed" | uniq -d) ]] || broken "satu berkas ada dua kali"
  tar -C "$UNPACKED/content" --no-same-owner --no-same-permissions -xf "$UNPACKED/whole.slrt" 2>/dev/null || broken "terpotong"
}

check_members() {
  local changed
  cd "$UNPACKED/content"
  [[ -f manifest.json && -f manifest.sig && -f key.pem ]] || broken "daftar isi atau tanda tangannya hilang"
  sed -n 's/^  "\([^"]*\)": {"sha256": "\([0-9a-f]\{64\}\)", "size": [0-9]*},\{0,1\}$/\2  \1/p' manifest.json >../sums
  if ! diff <(cut -c67- ../sums | LC_ALL=C sort) <(find . -type f ! -path ./manifest.json ! -path ./manifest.sig ! -path ./key.pem -printf '%P\n' | LC_ALL=C sort) >/dev/null; then
    broken "isinya tidak sama dengan daftarnya"
  fi
  # read once: most of the time of a check goes here
  if ! changed=$(LC_ALL=C sha256sum --quiet --strict -c ../sums 2>/dev/null); then
    [[ -z $changed ]] || broken "${changed%%:*} berubah"
    broken "isinya tidak sama dengan daftarnya"
  fi
  grep -qx ' "format": 1,' manifest.json || fail "$EXIT_CONFIGURATION" "Susunan bundel ini tidak dikenal." "Pakai install.sh yang disertakan dengan bundelnya."
  [[ -f debs/$debian/Packages ]] || fail "$EXIT_CONFIGURATION" "Bundel ini tidak memuat paket untuk Debian $debian." "Minta bundel untuk Debian $debian."
}

# openssl, on a bare Debian taken out of the bundle without installing it. Whoever could put another one there could as well have
# changed this very file beside it; a node that has pinned a key has openssl of its own.
run_openssl() {
  if command -v openssl >/dev/null; then
    openssl "$@"
    return
  fi
  local tools=$UNPACKED/tools deb
  if [[ ! -d $tools ]]; then
    for deb in debs/"$debian"/openssl_*.deb debs/"$debian"/libssl3*.deb; do
      dpkg-deb -x "$deb" "$tools"
    done
  fi
  LD_LIBRARY_PATH=$tools/usr/lib/x86_64-linux-gnu "$tools/usr/bin/openssl" "$@"
}

# of a key file as openssl writes it; two readers of another one might see two keys in it
fingerprint() { sed '/-----/d' "$1" | base64 -d 2>/dev/null | sha256sum | cut -c1-64 | sed 's/..../& /g; s/ $//'; }

check_signature() {
  base64 -d manifest.sig >../signature 2>/dev/null || broken "tanda tangannya tidak terbaca"
  run_openssl pkey -pubin -in key.pem -pubout -out ../key.pem >/dev/null 2>&1 || broken "kuncinya tidak terbaca"
  run_openssl pkeyutl -verify -pubin -inkey ../key.pem -rawin -in manifest.json -sigfile ../signature >/dev/null 2>&1 || broken "tanda tangannya tidak cocok"
  local key
  key=$(fingerprint ../key.pem)
  if [[ -e $PINNED ]]; then
    [[ $(fingerprint "$PINNED") == "$key" ]] || refuse_key "$key"
    say "Bundel utuh; kuncinya sama dengan yang dipercaya simpul ini."
  else
    meet_key "$key"
  fi
}

refuse_key() {
  say "  Kunci bundel ini      : $1" >&2
  say "  Kunci yang dipercaya  : $(fingerprint "$PINNED")" >&2
  fail "$EXIT_FAILED" "Bundel $(basename "$bundle") ditandatangani kunci lain. Belum ada yang diubah di mesin ini." \
    "Jangan dipakai. Bila pembuatnya memang mengganti kunci, cocokkan dengan kertasnya, hapus $PINNED, lalu ulangi."
}

# The first bundle on this machine: only the paper can tell whose key it is.
meet_key() {
  say "Bundel utuh. Mesin ini belum mengenal kuncinya; cocokkan sidik jari ini dengan kertas dari pembuat bundel:"
  say "  $(cut -d' ' -f1-8 <<<"$1")"
  say "  $(cut -d' ' -f9- <<<"$1")"
  [[ $unattended == no && -t 0 && -t 1 ]] || return 0
  local answer=''
  read -r -p "Sama persis? Ketik: sama  " answer || true
  [[ $answer == sama ]] || fail "$EXIT_FAILED" "Sidik jari belum dicocokkan. Belum ada yang diubah di mesin ini." "Cocokkan dengan kertasnya, lalu ulangi."
}

# From here apt asks the bundle and nobody else; the machine's own sources stay as they are, unasked.
ready_packages() {
  mkdir -p "$UNPACKED/apt/lists/partial" "$UNPACKED/source"
  tar -C "$UNPACKED/source" -xf source.tar
  # every package in it was just compared with the signed list
  printf 'deb [trusted=yes] file:%s ./\n' "$UNPACKED/content/debs/$debian" >"$UNPACKED/apt/sources.list"
  cat >"$UNPACKED/apt.conf" <<END
Dir::Etc::SourceList "$UNPACKED/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$UNPACKED/apt/lists";
Dir::Cache::PkgCache "";
Dir::Cache::SrcPkgCache "";
Acquire::Languages "none";
APT::Sandbox::User "root";
END
}

# The file itself, under the name of the release that it makes, as long as that release is on the machine.
keep_bundle() {
  local release folder kept
  release=$(sed -n 's/^ "release": "\([A-Za-z0-9.+~-]*\)",$/\1/p' "$UNPACKED/content/manifest.json")
  [[ -d $RELEASES/$release ]] || return 0
  install -d -m 0700 "$KEPT"
  mv "$UNPACKED/whole.slrt" "$KEPT/.arriving"
  sync "$KEPT/.arriving"
  mv "$KEPT/.arriving" "$KEPT/$release.slrt"
  sync "$KEPT"
  for kept in "$KEPT"/*.slrt; do
    folder=$RELEASES/$(basename "$kept" .slrt)
    [[ -d $folder ]] || rm -f "$kept"
  done
}

main() {
  read_arguments "$@"
  check_machine
  find_bundle
  take_lock
  check_room
  say "Memeriksa bundel $(basename "$bundle")"
  copy_bundle
  unpack
  check_members
  check_signature
  ready_packages
  local code=0
  cd "$origin"
  bash "$UNPACKED/source/install.sh" "${arguments[@]}" 8>&- || code=$?
  ((code == 0)) || exit "$code"
  case ${arguments[0]-} in
  '' | --*) keep_bundle ;;
  prepare)
    # whoever switches to the release installs its packages from here, and forgets it then
    keep_bundle
    trap - EXIT
    ;;
  esac
}

main "$@"
