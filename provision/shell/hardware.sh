# shellcheck shell=bash disable=SC2034,SC2154 # the options are those of options.sh
# What /sys and /proc tell of the machine itself: is it one of the three ML10, and what on it would let the node down? Reads only.
# `--hardware-root` puts another tree in the place of /: for tests. Part of install.sh.

readonly GOOD_MEMORY_KIB=$((3500 * 1024)) # a machine of 4 GB, less what its graphics take
readonly AMT_PORT=16992
readonly RAID_CLASS=0x010400 ETHERNET_CLASS=0x020000 INTEL=0x8086

sys() { printf '%s' "${given["hardware-root"]-}/sys"; }

memory_kib() { awk '$1 == "MemTotal:" { print $2 }' "${given["hardware-root"]-}/proc/meminfo"; }

# The first line of a file; empty when there is none or the kernel has no answer.
line_of() {
  local line=''
  { IFS= read -r line <"$1"; } 2>/dev/null || true
  printf '%s' "${line%"${line##*[![:space:]]}"}"
}

check_hardware() {
  check_model
  check_ecc
  check_sata
  check_disks
  check_cards
  check_hardware_clock
  check_watchdog
  check_power_on
  check_remote_control
}

# first, v2, gen9, or nothing for another machine
model() {
  case $(line_of "$(sys)/class/dmi/id/sys_vendor")/$(line_of "$(sys)/class/dmi/id/product_name") in
  'HP/ProLiant ML10') printf first ;;
  'HP/ProLiant ML10 v2') printf v2 ;;
  'HPE/ML10Gen9' | 'HPE/ProLiant ML10 Gen9') printf gen9 ;;
  esac
}

model_name() {
  local name
  name=$(printf '%s %s' "$(line_of "$(sys)/class/dmi/id/sys_vendor")" "$(line_of "$(sys)/class/dmi/id/product_name")")
  [[ $name == ' ' ]] && words unknown || printf '%s' "$name"
}

check_model() { [[ -n $(model) ]] || finding confirm P21 "$(model_name)"; }

check_ecc() {
  local controller corrected=0 lost=0 seen=no
  for controller in "$(sys)"/devices/system/edac/mc/mc[0-9]*; do
    [[ -e $controller ]] || continue
    seen=yes
    corrected=$((corrected + $(number_of "$controller/ce_count"))) lost=$((lost + $(number_of "$controller/ue_count")))
  done
  if [[ $seen == no ]]; then
    finding confirm P23
  elif ((corrected + lost > 0)); then
    finding confirm P24 "$corrected" "$lost"
  fi
}

number_of() {
  local text
  text=$(line_of "$1")
  [[ $text =~ ^[0-9]+$ ]] && printf '%s' "$text" || printf 0
}

# A node that runs like that is told of it; a new one must not begin so.
check_sata() {
  local device kind=refuse
  ! is_installed || kind=confirm
  for device in "$(sys)"/bus/pci/devices/*; do
    [[ $(line_of "$device/class") != "$RAID_CLASS" || $(line_of "$device/vendor") != "$INTEL" ]] ||
      finding "$kind" P13 "$(basename "$device") $(line_of "$device/vendor"):$(line_of "$device/device")"
  done
}

# The disks built into the machine, a name a line: nothing that comes and goes, and nothing that is made of others.
internal_disks() {
  local disk
  for disk in "$(sys)"/block/*; do
    [[ -e $disk/device && $(line_of "$disk/removable") == 0 && $(number_of "$disk/size") != 0 ]] || continue
    [[ $(readlink -f "$disk") != */usb[0-9]* && $disk != */mmcblk* ]] || continue
    basename "$disk"
  done
}

disk_sizes() {
  local disk
  for disk in $(internal_disks); do
    printf '%s %s GB, ' "$disk" $(($(number_of "$(sys)/block/$disk/size") * 512 / 1000000000))
  done | sed 's/, $//'
}

check_disks() {
  local -a disks sizes
  mapfile -t disks < <(internal_disks)
  if ((${#disks[@]} < 2)); then
    finding confirm P25 "${#disks[@]}" "$(disk_sizes)"
  else
    mapfile -t sizes < <(for disk in "${disks[@]}"; do number_of "$(sys)/block/$disk/size" && echo; done | sort -n)
    (((sizes[-1] - sizes[0]) * 100 <= sizes[-1])) || finding confirm P26 "$(disk_sizes)"
  fi
  local disk
  for disk in "${disks[@]}"; do
    check_smart "$disk"
    check_old_raid "$disk"
  done
}

# As far as smartmontools is there: a bare Debian has none.
check_smart() {
  local said code=0 wrong=''
  command -v smartctl >/dev/null || return 0
  said=$(smartctl -H -A "/dev/$1" 2>/dev/null) || code=$?
  (((code & 8) == 0)) || wrong='FAILED'
  wrong+=$(awk '($1 == 5 || $1 == 197) && $10 > 0 { printf " %s=%s", $2, $10 }' <<<"$said")
  [[ -z $wrong ]] || finding confirm P27 "$1" "${wrong# }"
}

check_old_raid() {
  local kind
  kind=$(wipefs --noheadings --output TYPE "/dev/$1" 2>/dev/null | grep '_raid_member$' | grep -vx linux_raid_member | head -n 1) || true
  [[ -z $kind ]] || finding confirm P28 "$1" "$kind"
}

# The wired cards that have a driver, a name a line.
cards() {
  local card
  for card in "$(sys)"/class/net/*; do
    [[ -e $card/device && $(line_of "$card/type") == 1 && ! -e $card/wireless && ! -e $card/phy80211 ]] || continue
    basename "$card"
  done
}

check_cards() {
  local device card linked='' bare=''
  for device in "$(sys)"/bus/pci/devices/*; do
    [[ $(line_of "$device/class") != "$ETHERNET_CLASS" || -e $device/driver ]] ||
      bare+=" $(line_of "$device/vendor"):$(line_of "$device/device")"
  done
  [[ -n $(cards) || -n $bare ]] || bare=" $(words none)"
  [[ -z $bare ]] || finding confirm P29 "${bare# }"
  for card in $(cards); do
    [[ $(line_of "$(sys)/class/net/$card/carrier") != 1 ]] || linked=$card
  done
  [[ -n $linked || -z $(cards) ]] || finding confirm P30 "$(cards | paste -sd' ')"
}

check_hardware_clock() {
  local clock today
  clock=$(sys)/class/rtc/rtc0
  today=$(line_of "$clock/date")
  if [[ -z $today ]]; then
    finding confirm P31
  elif [[ $today < $BUILT ]]; then
    finding confirm P32 "$today"
  fi
}

watchdog() { line_of "$(sys)/class/watchdog/watchdog0/identity"; }

check_watchdog() {
  local driver=iTCO_wdt
  [[ -z $(watchdog) ]] || return 0
  [[ ! $(model) =~ ^(first|v2)$ ]] || driver=hpwdt
  finding confirm P33 "$driver"
}

# Where Debian has no ipmitool, or the machine no such controller, a person has to look.
check_power_on() {
  local policy place
  case $(model) in
  first) place='BIOS Setup → Server Availability → Automatic Power-On' ;;
  v2) place='iLO 4 → Power Management → Auto Power-On' ;;
  gen9) place='BIOS Setup (Del) → Restore AC Power Loss' ;;
  *) return 0 ;;
  esac
  policy=$(ipmitool chassis status 2>/dev/null | sed -n 's/^Power Restore Policy *: *//p') || true
  case $policy in
  always-on) ;;
  '') finding confirm P35 "$place" ;;
  *) finding confirm P34 "$policy" ;;
  esac
}

# Nearly every Intel board has the engine; AMT is there when its port answers, and on the one ML10 that is known to have it.
check_remote_control() {
  local engine answers=''
  engine=$(sys)/class/mei/mei0
  [[ -e $engine ]] || return 0
  # only a connect: nothing is said to whoever listens
  ! timeout 2 bash -c "</dev/tcp/127.0.0.1/$AMT_PORT" 2>/dev/null || answers=", port $AMT_PORT"
  [[ $(model) != gen9 && -z $answers ]] || finding confirm P36 "ME $(line_of "$engine/fw_ver")$answers"
}

# One line about the machine, for the operator and the log.
machine_facts() {
  local firmware=BIOS card network='' watchdog sizes
  [[ ! -d $(sys)/firmware/efi ]] || firmware=UEFI
  for card in $(cards); do
    network+="$card $(basename "$(readlink "$(sys)/class/net/$card/device/driver")")"
    [[ $(line_of "$(sys)/class/net/$card/carrier") != 1 ]] || network+=' ✓'
    network+=', '
  done
  network=${network%, } watchdog=$(watchdog) sizes=$(disk_sizes)
  words facts "$(model_name)" $(($(memory_kib) / 1024)) "${sizes:-$(words none)}" "${network:-$(words none)}" "$firmware" \
    "${watchdog:-$(words none)}"
}
