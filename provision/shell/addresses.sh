# shellcheck shell=bash
# What may be said of the office network: addresses, ranges and lists of them. Nothing is accepted here that slrt-provision refuses
# later. Part of install.sh.

readonly MOST_SERVERS=3 MOST_HANDED_OUT=4096

# judge_network NAME VALUE: what is wrong with the value, empty when nothing is
judge_network() {
  case $1 in
  ups-lan) [[ $2 == none ]] || is_office_address "$2" || printf 'diharapkan alamat jaringan kantor seperti 192.168.1.10, atau none' ;;
  address) judge_address "$2" ;;
  gateway) is_address "$2" || printf 'diharapkan alamat seperti 192.168.1.1' ;;
  dns) is_list_of is_address "$2" "$MOST_SERVERS" || printf 'diharapkan 1 sampai %s alamat seperti 192.168.1.1, dipisah koma' "$MOST_SERVERS" ;;
  dhcp) [[ $2 == none ]] || is_office_range "$2" || printf 'diharapkan seperti 192.168.1.100-192.168.1.200, paling banyak %s alamat, atau none' "$MOST_HANDED_OUT" ;;
  ssh-from) [[ $2 == none ]] || is_list_of is_office_network "$2" || printf 'diharapkan alamat atau jaringan kantor seperti 192.168.1.20,192.168.2.0/24, atau none' ;;
  upstream-dns) [[ $2 == none ]] || is_list_of is_any_address "$2" || printf 'diharapkan alamat seperti 192.168.1.1, dipisah koma, atau none' ;;
  esac
}

# What no single value shows: complaints about gateway, name servers and handed out addresses beside the address.
judge_network_together() {
  local address=${given[address]-} gateway=${given[gateway]-} first last
  if [[ -z $address ]]; then
    [[ -z $gateway ]] || complaints+=("gateway $gateway: sebutkan juga alamat tetapnya, misalnya address 192.168.1.10/24.")
    [[ -z ${given[dns]-} ]] || complaints+=("dns ${given[dns]}: sebutkan juga alamat tetapnya, misalnya address 192.168.1.10/24.")
    return 0
  fi
  [[ -z $(judge_address "$address") ]] || return 0
  if [[ $gateway == "${address%/*}" ]]; then
    complaints+=("gateway $gateway: diharapkan mesin lain, biasanya router kantor.")
  elif is_address "$gateway" && ! is_machine_in "$gateway" "$address"; then
    complaints+=("gateway $gateway: tidak berada di jaringan $address.")
  fi
  IFS=- read -r first last <<<"${given[dhcp]-}"
  if is_office_range "${given[dhcp]-}" && ! { is_machine_in "$first" "$address" && is_machine_in "$last" "$address"; }; then
    complaints+=("dhcp ${given[dhcp]}: tidak berada di jaringan $address.")
  fi
}

judge_address() {
  local address=${1%/*} length=${1##*/}
  if [[ $1 != */* || ! $length =~ ^[1-9][0-9]?$ ]] || ! is_address "$address" || ((length < 8 || length > 30)); then
    printf 'diharapkan alamat dan panjang jaringannya, seperti 192.168.1.10/24'
  elif ! is_office_address "$address"; then
    printf 'diharapkan alamat jaringan kantor: 10.…, 172.16.… sampai 172.31.…, atau 192.168.…'
  elif ! is_machine_in "$address" "$1"; then
    printf 'itu alamat jaringannya sendiri, bukan alamat sebuah mesin'
  fi
}

is_address() {
  local -r number='(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
  [[ $1 =~ ^$number(\.$number){3}$ ]]
}

is_office_address() { is_address "$1" && [[ $1 =~ ^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.) ]]; }

# An address or a network, of the fourth or the sixth version.
is_office_network() {
  local address=${1%/*} length
  if is_address "$address"; then
    length=$(length_of "$1" 32) || return
    [[ $address == 169.254.* ]] || is_office_address "$address" || return
    # a network of more than an office
    [[ $address != 10.* ]] || ((length >= 8)) || return
    [[ $address != 172.* ]] || ((length >= 12)) || return
    [[ $address != 1[69]* ]] || ((length >= 16)) || return
    (($(address_number "$address") % (1 << (32 - length)) == 0))
  else
    length=$(length_of "$1" 128) || return
    is_address6 "$address" && [[ ${address,,} =~ ^(f[cd]|fe[89ab])[0-9a-f]{0,2}: ]] || return
    # its zeros must be those behind the double colon
    ((length == 128)) || { [[ $address == *:: ]] && (($(tr -cd : <<<"$address" | wc -c) * 16 - 16 <= length && length >= 10)); }
  fi
}

# length_of ADDRESS[/LENGTH] LONGEST
length_of() {
  local length=${1#*/}
  [[ $1 == */* ]] || length=$2
  [[ $length =~ ^(0|[1-9][0-9]{0,2})$ ]] && ((length <= $2)) && printf '%s' "$length"
}

is_any_address() { is_address "$1" || is_address6 "$1"; }

is_address6() {
  local groups
  [[ $1 =~ ^[0-9A-Fa-f:]+$ && $1 != *:::* && $1 != *::*::* ]] || return
  # a single colon at an end stands for nothing
  [[ $1 != :[!:]* && $1 != *[!:]: ]] || return
  [[ ! $1 =~ [^:]{5} ]] || return
  groups=$(tr : '\n' <<<"$1" | grep -c .)
  if [[ $1 == *::* ]]; then
    ((groups < 8))
  else
    ((groups == 8))
  fi
}

is_office_range() {
  local first last count
  IFS=- read -r first last <<<"$1"
  is_office_address "$first" && is_office_address "$last" || return
  count=$(($(address_number "$last") - $(address_number "$first") + 1))
  ((count >= 1 && count <= MOST_HANDED_OUT))
}

# is_list_of QUESTION LIST [MOST]: separated by commas
is_list_of() {
  local -a parts
  local part
  # read drops an empty last part
  [[ $2 != *, ]] || return
  IFS=, read -ra parts <<<"$2"
  ((${#parts[@]} >= 1 && ${#parts[@]} <= ${3:-${#parts[@]}})) || return
  for part in "${parts[@]}"; do
    "$1" "${part// /}" || return
  done
}

# is_machine_in ADDRESS NETWORK: neither the first nor the last one, which no machine has
is_machine_in() {
  local size number first
  size=$((1 << (32 - ${2#*/}))) number=$(address_number "$1")
  first=$(($(address_number "${2%/*}") / size * size))
  ((number > first && number < first + size - 1))
}

address_number() {
  local -a parts
  IFS=. read -ra parts <<<"$1"
  printf '%s' $(((parts[0] << 24) + (parts[1] << 16) + (parts[2] << 8) + parts[3]))
}
