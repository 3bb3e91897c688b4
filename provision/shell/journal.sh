# shellcheck shell=bash disable=SC2034,SC2154 # the settings are those of install.sh
# Steps: told with their number and time, and written down before and after, so that the next run knows where this one ended.
# A line of the journal: time, state (run, begun, done or failed), step, seconds, release. slrt-provision writes into the same one.
# Part of install.sh.

readonly JOURNAL=/var/lib/slrt-install/journal
readonly RUNTIME_STEPS=6

step_in_hand='' step_began=0 run_began=0 release_in_hand=-

# record STATE STEP [SECONDS]: on the disk when this returns
record() {
  local folder=${JOURNAL%/*}
  [[ -d $folder ]] || mkdir -m 0700 "$folder"
  printf '%s %s %s %s %s\n' "$(date -u +%FT%TZ)" "$1" "$2" "${3:--}" "$release_in_hand" >>"$JOURNAL"
  sync "$JOURNAL" "$folder"
}

# Says how the last run ended if it did not end well, and begins this one.
begin_journal() {
  run_began=$SECONDS
  trap leave_step EXIT
  [[ ! -s $JOURNAL ]] || tell_last_run
  record run install
}

tell_last_run() {
  local at state step rest
  # what a power cut tore off becomes a line of its own, and does not count
  [[ -z $(tail -c 1 "$JOURNAL") ]] || echo >>"$JOURNAL"
  read -r at state step rest <<<"$(awk 'NF == 5 { last = $0 } END { print last }' "$JOURNAL")"
  case $state in
  begun) say "Pemasangan sebelumnya ($at) terputus di tengah langkah $step; dilanjutkan dari sana." ;;
  failed) say "Pemasangan sebelumnya ($at) gagal pada langkah $step; dilanjutkan dari sana." ;;
  esac
}

# begin NUMBER STEP TITLE
begin() {
  say "Tahap $1/$RUNTIME_STEPS  $3"
  step_in_hand=$2 step_began=$SECONDS
  record begun "$2"
}

# settled NUMBER TITLE: nothing to do
settled() { say "Tahap $1/$RUNTIME_STEPS  $2"; }

# The step, if one was begun, is done. For tests: end as a power cut would, right after it.
reached() {
  if [[ -n $step_in_hand ]]; then
    record 'done' "$step_in_hand" $((SECONDS - step_began))
    say "    selesai dalam $((SECONDS - step_began)) detik"
    step_in_hand=''
  fi
  [[ ${given["stop-after"]-} != "$1" ]] || exit "$EXIT_STOPPED"
}

# However the script ends, short of being killed.
leave_step() {
  [[ -z $step_in_hand ]] || record failed "$step_in_hand" $((SECONDS - step_began))
}
