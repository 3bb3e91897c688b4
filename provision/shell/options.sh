# shellcheck shell=bash disable=SC2034,SC2154 # the settings are those of install.sh
# What the operator decides: from flags, from an answer file, from questions at a terminal. All three are judged by the same rules,
# and a flag beats the file. Part of install.sh.

# about the node: each is a flag, a key of the answer file, and an option of slrt-provision, to which it is handed on
readonly WISHES=(district hostname admin ups ups-driver ups-device ups-options ups-lan address gateway dns dhcp ssh-from upstream-dns)
# about this run alone; in an answer file only `accept` and `lang`
readonly RUN_OPTIONS=(accept lang answers stop-after hardware-root)
readonly ANSWER_KEYS=("${WISHES[@]}" accept lang)
readonly ANSWER_FILE=node-answer.toml ANSWER_LABEL=NODE-CFG

declare -A given=() # option → value
unattended=no only_plan=no only_check=no
complaints=()

is_one_of() {
  local word=$1 other
  shift
  for other in "$@"; do
    [[ $word != "$other" ]] || return 0
  done
  return 1
}

is_option() { [[ $1 == --* ]] && is_one_of "${1#--}" "${WISHES[@]}" "${RUN_OPTIONS[@]}"; }

read_options() {
  local name
  while (($#)); do
    name=${1#--}
    case $1 in
    --unattended) unattended=yes ;;
    --plan) only_plan=yes ;;
    --check) only_check=yes ;;
    *)
      is_option "$1" || usage "Pilihan $1 tidak dikenal."
      [[ -n ${2-} ]] || usage "Pilihan $1 memerlukan nilai."
      take "$name" "$2" "--$name $2"
      shift
      ;;
    esac
    shift
  done
  refuse_complaints usage
  [[ -z ${given[answers]-} ]] || take_answers "${given[answers]}"
}

# take NAME VALUE LABEL: LABEL is how the operator finds it again
take() {
  local wrong
  wrong=$(judge "$1" "$2")
  [[ -z $wrong ]] || complaints+=("$3: $wrong.")
  given[$1]=$2
}

# refuse_complaints HOW: all of them at once
refuse_complaints() {
  ((${#complaints[@]} > 0)) || return 0
  local complaint
  for complaint in "${complaints[@]:1}"; do
    say "Gagal: $complaint" >&2
  done
  "$1" "${complaints[0]}"
}

# judge NAME VALUE: what is wrong with the value, empty when nothing is
judge() {
  local -r name='^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
  case $1 in
  district)
    if [[ ! $2 =~ ^[0-9]{2}\.[0-9]{2}$ ]]; then
      printf 'diharapkan kode seperti 73.03'
    elif [[ -n $SOURCE ]] && ! grep -q "^${2/./\\.} " "$SOURCE/provision/districts.txt"; then
      printf 'tidak ada kabupaten/kota dengan kode itu'
    fi
    ;;
  hostname) [[ $2 =~ $name ]] || printf 'diharapkan huruf kecil, angka dan tanda hubung' ;;
  admin) [[ $2 =~ ^[a-z][a-z0-9._-]{2,39}$ ]] || printf 'diharapkan 3 sampai 40 huruf kecil, angka, titik, tanda hubung' ;;
  ups) [[ $2 =~ ^(usb|driver|simulated|none)$ ]] || printf 'diharapkan usb, driver, simulated atau none' ;;
  ups-driver) [[ $2 =~ ^[a-z0-9][a-z0-9_-]{1,40}$ ]] || printf 'diharapkan nama driver NUT' ;;
  lang) [[ $2 =~ ^(id|en)$ ]] || printf 'diharapkan id atau en' ;;
  accept) judge_accept "$2" ;;
  *) judge_network "$1" "$2" ;;
  esac
}

judge_accept() {
  local number
  [[ $1 != all ]] || return 0
  for number in ${1//,/ }; do
    [[ -n ${WORDS[${number#SLRT-}.id]-} ]] || printf 'diharapkan nomor seperti P21,P22, atau all; %s tidak dikenal' "$number"
  done
}

is_installed() { [[ -e $SETTINGS ]]; }

# What a machine that is a node already has keeps its value; the rest is asked at a terminal, or must be given.
complete_options() {
  if ! is_installed; then
    if at_terminal; then
      ask_options
    fi
    given[hostname]=${given[hostname]-slrt} given[admin]=${given[admin]-admin.it} given[ups]=${given[ups]-usb}
  fi
  judge_together
  refuse_complaints usage
}

at_terminal() { [[ $unattended == no && -t 0 && -t 1 ]]; }

# What no single value shows.
judge_together() {
  judge_network_together
  ! is_installed || return 0
  [[ -n ${given[district]-} ]] || complaints+=("Kode kabupaten/kota belum ditentukan, misalnya --district 73.03.")
  [[ ${given[ups]-} != driver || -n ${given["ups-driver"]-} ]] ||
    complaints+=("--ups driver: sebutkan drivernya, misalnya --ups-driver nutdrv_qx.")
}

ask_options() {
  say "Beberapa pertanyaan; tekan Enter untuk menerima nilai dalam kurung."
  ask district "Kode kabupaten/kota Kemendagri" 73.03
  ask hostname "Nama mesin di jaringan kantor" slrt
  ask admin "Nama pengguna administrator pertama" admin.it
  ask ups "UPS: usb (APC), driver (merek lain), simulated atau none" usb
  [[ ${given[ups]} == driver ]] || return 0
  ask ups-driver "Driver NUT untuk UPS itu (lihat networkupstools.org)" usbhid-ups
  ask ups-device "Tempat UPS itu: auto, /dev/ttyS0 atau alamat jaringan" auto
}

# ask NAME QUESTION DEFAULT: until the answer is one, unless it was given before
ask() {
  local answer wrong
  while [[ -z ${given[$1]-} ]]; do
    read -r -p "$2 [$3]: " answer || fail "$EXIT_USAGE" "Jawaban terputus." "Ulangi, atau berikan semua pilihan dengan --unattended."
    answer=${answer:-$3}
    wrong=$(judge "$1" "$answer")
    if [[ -n $wrong ]]; then
      say "  $answer: $wrong."
    else
      given[$1]=$answer
    fi
  done
}

# The answers as options of slrt-provision, a word a line.
wish() {
  local name
  for name in "${WISHES[@]}"; do
    [[ -z ${given[$name]-} ]] || printf '%s\n' "--$name" "${given[$name]}"
  done
}

# ------------------------------------------------------------------------------------------------ the answer file

# take_answers FILE|auto: what no flag has said is said by the file
take_answers() {
  local content name
  local -A flags=()
  content=$(answers_of "$1")
  for name in "${!given[@]}"; do
    flags[$name]=${given[$name]}
  done
  read_answers "$content" "$(basename "$1" | sed 's/^auto$/'"$ANSWER_FILE"'/')"
  for name in "${!flags[@]}"; do
    given[$name]=${flags[$name]}
  done
  refuse_complaints wrong_answers
}

wrong_answers() {
  fail "$EXIT_CONFIGURATION" "$1" "Perbaiki berkas jawaban, lalu periksa lagi: ./install.sh validate BERKAS. Belum ada yang diubah."
}

# The text of a file, or of the one on the stick that is made for this.
answers_of() {
  local file=$1
  [[ $file != auto ]] || { answers_on_stick && return; }
  [[ -f $file && -r $file ]] || fail "$EXIT_CONFIGURATION" "Berkas jawaban $file tidak dapat dibaca." "Periksa nama berkasnya."
  cat "$file"
}

# Read where it is mounted, else mounted for a moment and only for reading.
answers_on_stick() {
  local device folder mounted=''
  device=$(blkid -L "$ANSWER_LABEL") || fail "$EXIT_CONFIGURATION" "Tidak ada stik dengan partisi berlabel $ANSWER_LABEL." \
    "Pasang stik itu, atau sebutkan berkasnya: --answers BERKAS."
  folder=$(findmnt -rn -o TARGET -S "$device" | head -n 1) || true
  if [[ -z $folder ]]; then
    folder=$(mktemp -d)
    mount -o ro,nosuid,nodev,noexec "$device" "$folder" ||
      fail "$EXIT_CONFIGURATION" "Stik $ANSWER_LABEL ($device) tidak dapat dibaca." "Cabut, pasang lagi, lalu ulangi."
    mounted=$folder
  fi
  local code=0
  cat "$folder/$ANSWER_FILE" 2>/dev/null || code=$?
  [[ -z $mounted ]] || { umount "$mounted" && rmdir "$mounted"; }
  ((code == 0)) ||
    fail "$EXIT_CONFIGURATION" "Stik $ANSWER_LABEL tidak memuat berkas $ANSWER_FILE." "Salin berkas itu ke folder teratas stik."
}

# read_answers TEXT NAME: `key = "value"` a line, the rest of TOML is refused; every wrong line is a complaint
read_answers() {
  local -r pair='^[[:space:]]*([A-Za-z0-9_-]+)[[:space:]]*=[[:space:]]*"([^"\\]*)"[[:space:]]*(#.*)?$' blank='^[[:space:]]*(#.*)?$'
  local -A lines=()
  local line number=0 key
  # what Windows' editor puts before the first line and after each
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1)) line=${line#$'\xef\xbb\xbf'} line=${line%$'\r'}
    [[ ! $line =~ $blank ]] || continue
    if [[ ! $line =~ $pair ]]; then
      complaints+=("$2 baris $number: diharapkan kunci = \"nilai\", bukan: $line")
      continue
    fi
    key=${BASH_REMATCH[1]}
    if ! is_one_of "$key" "${ANSWER_KEYS[@]}"; then
      complaints+=("$2 baris $number: kunci $key tidak dikenal; yang dikenal: ${ANSWER_KEYS[*]}.")
    elif [[ -n ${lines[$key]-} ]]; then
      complaints+=("$2 baris $number: kunci $key sudah ada di baris ${lines[$key]}.")
    elif [[ -z ${BASH_REMATCH[2]} ]]; then
      complaints+=("$2 baris $number: $key kosong; isi, atau hapus barisnya.")
    else
      lines[$key]=$number
      take "$key" "${BASH_REMATCH[2]}" "$2 baris $number: $key = \"${BASH_REMATCH[2]}\""
    fi
  done <<<"$1"
}

# Tell everything that is wrong with an answer file for a new node.
validate() {
  [[ -n ${1-} && $# == 1 ]] || usage "Sebutkan satu berkas jawaban: ./install.sh validate $ANSWER_FILE"
  local content
  content=$(answers_of "$1")
  read_answers "$content" "$(basename "$1")"
  [[ -n ${given[district]-} ]] || complaints+=("$(basename "$1"): kunci district belum ada.")
  [[ ${given[ups]-} != driver || -n ${given["ups-driver"]-} ]] || complaints+=("$(basename "$1"): ups = \"driver\" memerlukan ups-driver.")
  judge_network_together
  refuse_complaints wrong_answers
  say "Berkas jawaban benar: ${#given[@]} pilihan."
}
