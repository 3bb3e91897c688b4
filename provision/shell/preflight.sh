# shellcheck shell=bash disable=SC2154 # the settings and the options are those of install.sh
# The questions to a machine before anything changes on it. Part of install.sh, which reads this file when it has a folder; over SSH
# both travel joined as the input of a shell, so only functions and variables stand here, and nothing runs while it is read.

readonly BUILT=2026-11-01 # no right clock shows an earlier day
readonly NEED_DISK_KIB=$((3 * 1024 * 1024)) NEED_DISK_KIB_AGAIN=$((512 * 1024))
readonly NEED_MEMORY_KIB=$((900 * 1024))

problems=0
worst=0

# problem CODE WHAT-IS-WRONG WHAT-TO-DO: all problems are told at once
problem() {
  problems=$((problems + 1))
  # a machine that is unsuitable stays so; "try later" only when nothing else is wrong
  ((worst == 0 || $1 == EXIT_CONFIGURATION)) && worst=$1
  say "  $problems. $2" >&2
  say "     → $3" >&2
}

preflight() {
  check_rights
  check_debian
  check_space
  check_memory
  check_clock
  check_ports
  check_ups
  check_nut_trap
  ((problems > 0)) || check_network
  ((problems == 0)) && return
  say "Belum ada yang diubah. $problems hal di atas perlu dibereskan dahulu." >&2
  exit "$worst"
}

check_rights() {
  if ((EUID != 0)); then
    problem "$EXIT_CONFIGURATION" "Pemasangan memerlukan hak root." "Ulangi dengan sudo: sudo ./install.sh"
  elif [[ ! -w /etc ]]; then
    problem "$EXIT_CONFIGURATION" "Sistem berkas tidak dapat ditulis." "Periksa disk: dmesg | tail"
  fi
}

check_debian() {
  local id version pretty arch
  id=$(os_release ID) version=$(os_release VERSION_ID) pretty=$(os_release PRETTY_NAME)
  [[ $id == debian && $version =~ ^(12|13)$ ]] ||
    problem "$EXIT_CONFIGURATION" "Mesin ini memakai ${pretty:-sistem yang tidak dikenal}." "Pasang Debian 12 atau Debian 13."
  arch=$(uname -m)
  [[ $arch == x86_64 ]] ||
    problem "$EXIT_CONFIGURATION" "Prosesor $arch tidak didukung." "Pakai mesin Intel/AMD 64-bit."
  [[ -d /run/systemd/system ]] ||
    problem "$EXIT_CONFIGURATION" "Mesin ini tidak dijalankan oleh systemd." "Pasang pada mesin Debian biasa, bukan wadah tanpa systemd."
}

os_release() {
  local key value
  while IFS='=' read -r key value; do
    [[ $key != "$1" ]] || printf '%s' "${value//\"/}"
  done </etc/os-release
}

check_space() {
  local folder need=$NEED_DISK_KIB free
  [[ ! -e $CURRENT ]] || need=$NEED_DISK_KIB_AGAIN
  for folder in /opt /var /srv; do
    free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    ((free >= need)) || {
      problem "$EXIT_CONFIGURATION" "Ruang kosong untuk $folder hanya $((free / 1024)) MiB; diperlukan $((need / 1024)) MiB." \
        "Kosongkan atau perbesar disk."
    }
  done
}

check_memory() {
  local total
  total=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
  ((total >= NEED_MEMORY_KIB)) ||
    problem "$EXIT_CONFIGURATION" "Memori hanya $((total / 1024)) MiB; diperlukan $((NEED_MEMORY_KIB / 1024)) MiB." "Tambah memori."
}

check_clock() {
  local today
  today=$(date -u +%F)
  [[ ! $today < $BUILT ]] ||
    problem "$EXIT_CONFIGURATION" "Jam mesin menunjukkan $today, lebih awal daripada tanggal program ini ($BUILT)." \
      "Setel jam: date -s 'TAHUN-BULAN-TANGGAL JAM:MENIT', lalu: hwclock -w"
}

check_ports() {
  # while the node runs the ports are its own
  ! systemctl is-active --quiet slrt-front.socket 2>/dev/null || return 0
  local port owner
  for port in 80 443; do
    owner=$(port_owner "$port")
    [[ -z $owner ]] ||
      problem "$EXIT_CONFIGURATION" "Port $port sudah dipakai oleh $owner." \
        "Hentikan program itu untuk seterusnya, misalnya: systemctl disable --now $owner"
  done
}

# The name of the program that listens on a TCP port; empty when nobody does.
port_owner() {
  local hex inode
  printf -v hex '%04X' "$1"
  inode=$(awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null) || true
  [[ -n $inode ]] || return 0
  local holder
  holder=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" -print -quit 2>/dev/null) || true
  [[ -z $holder ]] || holder=$(<"/proc/$(cut -d/ -f3 <<<"$holder")/comm")
  printf '%s' "${holder:-program lain}"
}

check_ups() {
  local wanted=$ups
  # a node that has its UPS already may be repaired while the cable is out
  [[ -n $wanted ]] || return 0
  [[ $wanted == usb ]] || return 0
  grep -qsx 051d /sys/bus/usb/devices/*/idVendor ||
    problem "$EXIT_CONFIGURATION" "Tidak ada UPS APC pada kabel USB." \
      "Pasang kabel data UPS (lubang bertanda USB, bukan jaringan), atau pilih --ups none."
}

# NUT that is switched off while its ups.conf names a UPS: Debian's upsmon then says yes to "was this a power failure?" at every
# reboot, and the UPS is told to cut. A node without a UPS must not be left like that by whoever set NUT up before.
check_nut_trap() {
  local folder=/etc/nut
  [[ $ups == none ]] && ! is_installed || return 0
  grep -qsx 'MODE=none' "$folder/nut.conf" && grep -qs '^\[' "$folder/ups.conf" || return 0
  problem "$EXIT_CONFIGURATION" "NUT di mesin ini dimatikan (MODE=none), tetapi $folder/ups.conf masih menyebut UPS: setiap kali mesin dinyalakan ulang, UPS dapat memutus listrik." \
    "Kosongkan $folder/ups.conf, atau pakai UPS itu dengan --ups usb."
}

# Only when something has to be fetched, and without leaving a trace.
check_network() {
  ! has_all_packages || [[ ! -e $CURRENT ]] || return 0
  local lists answer
  lists=$(mktemp -d)
  chmod 755 "$lists"
  mkdir "$lists/partial"
  answer=$(LC_ALL=C.UTF-8 apt-get -q update -o Dir::State::Lists="$lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o APT::Update::Error-Mode=any -o Acquire::Retries=1 -o Acquire::http::Timeout=20 \
    -o Acquire::IndexTargets::deb::Packages::DefaultEnabled=false \
    -o Acquire::IndexTargets::deb::Translations::DefaultEnabled=false 2>&1) || {
    say "$(tail -n 4 <<<"$answer" | sed 's/^/     /')" >&2
    problem "$EXIT_TRY_LATER" "Sumber paket Debian tidak dapat dihubungi." "Periksa kabel jaringan dan /etc/apt/sources.list, lalu ulangi."
  }
  rm -rf "$lists"
}

has_all_packages() {
  local package
  for package in "${RUNTIME_PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || return 1
  done
}
