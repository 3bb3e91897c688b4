# shellcheck shell=bash disable=SC2154 # the settings are those of install.sh, the options those of options.sh
# The questions to a machine before anything changes on it. Part of install.sh, which reads this file when it has a folder; over SSH
# they travel joined as the input of a shell, so only functions and variables stand here, and nothing runs while it is read.

readonly BUILT=2026-11-01 # no right clock shows an earlier day
readonly NEED_DISK_KIB=$((3 * 1024 * 1024)) NEED_DISK_KIB_AGAIN=$((512 * 1024))
readonly NEED_MEMORY_KIB=$((900 * 1024))
readonly CHECKS=(rights debian systemd space memory clock ports names_and_time ups nut_trap hardware)

refusals=0 # all kinds of things to be mended
worst=0
unconfirmed=() # numbers

# words NAME [VALUE…]: the words by their name, in the operator's language
words() {
  local text=${WORDS[$1.${given[lang]-id}]} place=0 value
  shift
  for value in "$@"; do
    place=$((place + 1))
    # the parts of a finding are parted by |
    text=${text//"{$place}"/"${value//|/ }"}
  done
  printf '%s' "$text"
}

# finding KIND NUMBER [VALUE…]: refuse (unsuitable), later (try again) or confirm (for the operator to decide). All are told at once.
finding() {
  local kind=$1 number=$2 mark='' what cause remedy
  case $kind in
  refuse) refusals=$((refusals + 1)) worst=$EXIT_CONFIGURATION ;;
  later) refusals=$((refusals + 1)) worst=$EXIT_TRY_LATER ;; # only found where nothing is to be refused
  confirm)
    mark=$(confirm "$number")
    [[ $mark != open ]] || unconfirmed+=("$number")
    ;;
  esac
  IFS='|' read -r what cause remedy <<<"$(words "${@:2}")"
  say "  SLRT-$number  ${mark:+$(words "$mark") }$what" >&2
  say "            $(words cause): $cause" >&2
  say "            → $remedy" >&2
}

# What becomes of a thing to be confirmed. A machine that is a node already is repaired whatever it is.
confirm() {
  local accepted=",${given[accept]-},"
  if [[ ${accepted//SLRT-/} == *",$1,"* || $accepted == ,all, ]]; then
    printf accepted
  elif is_installed; then
    printf told
  else
    printf open
  fi
}

preflight() {
  local check
  for check in "${CHECKS[@]}"; do
    "check_$check"
  done
  ((refusals > 0)) || check_network
  ((refusals == 0)) && return
  say "$(words refused "$refusals")" >&2
  exit "$worst"
}

# What is left for the operator to decide: asked at a terminal, else a reason to end.
agree() {
  ((${#unconfirmed[@]} > 0)) || return 0
  local answer numbers
  if at_terminal; then
    read -r -p "$(words question)" answer || answer=''
    [[ $answer != "$(words agreement)" ]] || return 0
  fi
  numbers=$(list_unconfirmed)
  fail "$EXIT_CONFIGURATION" "$(words unconfirmed | cut -d'|' -f1)" "$(words unconfirmed "$numbers" | cut -d'|' -f2)"
}

list_unconfirmed() {
  local IFS=,
  printf '%s' "${unconfirmed[*]}"
}

check_rights() {
  if ((EUID != 0)); then
    finding refuse P01 "$(id -un)"
  elif [[ ! -w /etc ]]; then
    finding refuse P02
  fi
}

check_debian() {
  local id version pretty arch
  id=$(os_release ID) version=$(os_release VERSION_ID) pretty=$(os_release PRETTY_NAME)
  [[ $id == debian && $version =~ ^(12|13)$ ]] || finding refuse P03 "${pretty:-$(words unknown)}"
  arch=$(uname -m)
  [[ $arch == x86_64 ]] || finding refuse P04 "$arch"
}

os_release() {
  local key value
  while IFS='=' read -r key value; do
    [[ $key != "$1" ]] || printf '%s' "${value//\"/}"
  done </etc/os-release
}

check_systemd() { [[ -d /run/systemd/system ]] || finding refuse P05; }

check_space() {
  local folder need=$NEED_DISK_KIB free
  [[ ! -e $CURRENT ]] || need=$NEED_DISK_KIB_AGAIN
  for folder in /opt /var /srv; do
    free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    ((free >= need)) || finding refuse P06 "$folder" $((free / 1024)) $((need / 1024))
  done
}

check_memory() {
  local total
  total=$(memory_kib)
  if ((total < NEED_MEMORY_KIB)); then
    finding refuse P07 $((total / 1024)) $((NEED_MEMORY_KIB / 1024))
  elif ((total < GOOD_MEMORY_KIB)); then
    finding confirm P22 $((total / 1024))
  fi
}

check_clock() {
  local today
  today=$(date -u +%F)
  [[ ! $today < $BUILT ]] || finding refuse P08 "$today" "$BUILT"
}

check_ports() {
  # while the node runs the ports are its own
  ! systemctl is-active --quiet slrt-front.socket 2>/dev/null || return 0
  local port owner
  for port in 80 443; do
    owner=$(socket_owner "$(listening tcp "$port")")
    [[ -z $owner ]] || finding refuse P09 "$port" "${owner% *}"
  done
}

# Who answers names and tells the time to the office must be the node. What answers this machine alone is in nobody's way, and neither
# are our own dnsmasq and the chrony that becomes ours.
check_names_and_time() {
  local port inode owner
  for port in 53 123; do
    ((port != 53)) || ! systemctl is-active --quiet slrt-dns.service 2>/dev/null || continue
    inode=$(listening udp "$port" office)
    [[ -n $inode ]] || ((port != 53)) || inode=$(listening tcp "$port" office)
    owner=$(socket_owner "$inode")
    [[ -z $owner || $owner == 'chronyd '* ]] || finding refuse P14 "$port" "${owner% *}" "${owner##* }"
  done
}

# listening tcp|udp PORT [office]: the inode of a socket that waits there, of `office` one that others than this machine reach
listening() {
  local state=0A hex
  [[ $1 == tcp ]] || state=07
  printf -v hex '%04X' "$2"
  awk -v port=":$hex" -v state="$state" -v office="${3-}" '
    $4 != state || substr($2, length($2) - 4) != port { next }
    office && $2 ~ /^(......7F|000000000000000000000000010+):/ { next }
    { print $10; exit }' "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null || true
}

# socket_owner INODE: the name of the program that has the socket, and the unit that it runs in, else once more its name
socket_owner() {
  [[ -n $1 ]] || return 0
  local found pid name unit
  found=$(find /proc/[0-9]*/fd -lname "socket:\\[$1\\]" -print -quit 2>/dev/null) || true
  pid=$(cut -d/ -f3 <<<"$found")
  name=$(cat "/proc/${pid:--}/comm" 2>/dev/null) || name=$(words unknown)
  unit=$(sed -n 's|^0::.*/\([^/]*\)\.service$|\1|p' "/proc/${pid:--}/cgroup" 2>/dev/null) || true
  name=${name// /-}
  printf '%s %s' "$name" "${unit:-$name}"
}

check_ups() {
  # a node that has its UPS already may be repaired while the cable is out
  [[ ${given[ups]-} == usb ]] || return 0
  grep -qsx 051d "$(sys)"/bus/usb/devices/*/idVendor || finding refuse P10
}

# NUT that is switched off while its ups.conf names a UPS: Debian's upsmon then says yes to "was this a power failure?" at every
# reboot, and the UPS is told to cut. A node without a UPS must not be left like that by whoever set NUT up before.
check_nut_trap() {
  local folder=/etc/nut
  [[ ${given[ups]-} == none ]] && ! is_installed || return 0
  grep -qsx 'MODE=none' "$folder/nut.conf" && grep -qs '^\[' "$folder/ups.conf" || return 0
  finding refuse P11 "$folder/ups.conf"
}

# Only when something has to be fetched, and without leaving a trace.
check_network() {
  ! from_bundle || return 0
  ! has_all_packages || [[ ! -e $CURRENT ]] || return 0
  local lists answer
  lists=$(mktemp -d)
  chmod 755 "$lists"
  mkdir "$lists/partial"
  answer=$(LC_ALL=C.UTF-8 apt-get -q update -o Dir::State::Lists="$lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o APT::Update::Error-Mode=any -o Acquire::Retries=1 -o Acquire::http::Timeout=20 \
    -o Acquire::IndexTargets::deb::Packages::DefaultEnabled=false \
    -o Acquire::IndexTargets::deb::Translations::DefaultEnabled=false 2>&1) || finding later P12 "$(tail -n 1 <<<"$answer")"
  rm -rf "$lists"
}

has_all_packages() {
  local package
  for package in "${RUNTIME_PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || return 1
  done
}
