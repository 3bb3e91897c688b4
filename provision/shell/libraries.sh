# shellcheck shell=bash disable=SC2154 # the settings are those of install.sh
# The Python of a release: its wheels, brought and installed, and its compiled files. Part of install.sh.

compiling=''

make_venv() {
  quietly /usr/bin/python3 -m venv "${@:2}" "$1" ||
    fail "$EXIT_FAILED" "Lingkungan Python tidak dapat dibuat." "Perbaiki yang disebut di atas, lalu ulangi ./install.sh."
}

# bring_wheels FOLDER: all libraries and the program as wheels in FOLDER/made/wheels, and FOLDER/made/uv. Those of a bundle were compared
# with its signed list; else pip fetches the libraries, compares each with its hash, and builds what was published as a source only.
bring_wheels() {
  local folder=$1
  mkdir -p "$folder/made"
  if from_bundle; then
    wheels_of_bundle "$folder/made"
    return
  fi
  make_venv "$folder/made/venv"
  run_pip "$folder" install --require-hashes -r "$folder/source/provision/build.lock"
  run_pip "$folder" wheel --require-hashes --no-deps --no-build-isolation --use-pep517 -r "$folder/source/requirements.lock" -w "$folder/made/wheels"
  quietly cp -r "$folder/source" "$folder/made/source" || cannot_install "$folder"
  run_pip "$folder" wheel --no-deps --no-build-isolation --no-index "$folder/made/source" -w "$folder/made/wheels"
  ln -s venv/bin/uv "$folder/made/uv"
}

# install_wheels FOLDER WHAT: by uv, which needs a tenth of the time of pip, and nobody else is asked
install_wheels() {
  local folder=$1
  local -a alone=(--offline --no-config --no-index --no-deps --no-build --find-links "$folder/made/wheels")
  alone+=(--python "$folder/venv/bin/python" --cache-dir "$folder/made/cache" --link-mode hardlink)
  # without its notes of when each file was made: two installations shall not differ
  quietly env UV_NO_INSTALLER_METADATA=1 "$folder/made/uv" pip install --quiet "${alone[@]}" "${@:2}" || cannot_install "$folder"
}

# names_of_libraries FOLDER: without their hashes. What is not published as a wheel was built, so its hash is not that of the lock; whoever
# brought the wheels has compared all of them.
names_of_libraries() {
  sed -n 's/^\([a-z0-9].*[^ ]\) *\\$/\1/p' "$1/source/requirements.lock" >"$1/made/libraries" || cannot_install "$1"
}

cannot_install() { fail "$EXIT_FAILED" "Pustaka Python tidak dapat dipasang di $1." "Perbaiki yang disebut di atas (misalnya ruang disk), lalu ulangi ./install.sh."; }

# run_pip FOLDER WORDS: of an environment that is thrown away again
run_pip() {
  local folder=$1
  shift
  quietly "$folder/made/venv/bin/python" -m pip --disable-pip-version-check --no-input "$1" --quiet "${@:2}" && return
  if tail -n 40 "$LOG" | grep -q 'DO NOT MATCH THE HASHES'; then
    fail "$EXIT_FAILED" "Pustaka Python yang diterima tidak sama dengan yang seharusnya (hash berbeda)." "Jangan lanjutkan; laporkan catatannya."
  fi
  fail "$EXIT_TRY_LATER" "Pustaka Python tidak dapat diambil." "Periksa jaringan, lalu ulangi ./install.sh; $(bundle_hint)."
}

# The services cannot write the compiled files, and each of their starts needs them. But until then nobody waits for them: they are made
# beside Debian's packages, which keep one processor busy. What a run that was cut off left of them may be torn.
begin_compiling() {
  local folder
  folder=$(readlink -f "$CURRENT")
  [[ ! -e $folder/.compiled ]] || return 0
  find "$folder/venv/lib" -type d -name __pycache__ -prune -exec rm -rf {} +
  byte_compile "$folder" >>"$LOG" 2>&1 9>&- &
  compiling=$!
}

end_compiling() {
  [[ -n $compiling ]] || return 0
  wait "$compiling" || cannot_compile
  compiling=''
}

byte_compile() {
  nice "$1/venv/bin/python" -m compileall -q -j 0 "$1/venv/lib" || return
  sync -f "$1"
  touch "$1/.compiled"
}

compile_now() { [[ -e $1/.compiled ]] || quietly byte_compile "$1" || cannot_compile; }

cannot_compile() { fail "$EXIT_FAILED" "Program tidak dapat disusun." "Perbaiki yang disebut dalam $LOG (misalnya ruang disk), lalu ulangi ./install.sh."; }
