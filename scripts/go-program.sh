# Shared by the scripts that build upstream programs from the Go module proxy alone. They source it with
# these variables set: name (for messages), VERSION, and folder, where the programs are to be.

# The programs exist: nothing to do.
already_there() {
  echo "$name: $VERSION is in $folder"
  exit 0
}

# fail MESSAGE
fail() {
  echo "$name: $1" >&2
  exit 1
}

# start WHAT: creates a module to build in, and makes it the working directory.
start() {
  command -v go >/dev/null || fail "no Go on this machine; Go 1.21 or later builds $1"
  go_minor=$(go version | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
  # Since 1.21 Go fetches the version that a module requires.
  [ -z "$go_minor" ] || [ "$go_minor" -ge 21 ] || fail "$(go version) is too old; Go 1.21 or later builds $1"
  module=$folder/module
  mkdir -p "$module"
  cd "$module"
  unset GOFLAGS
  export GOWORK=off CGO_ENABLED=0
}

# downloaded FIELD MODULE VERSION: prints a field of a downloaded module (Dir or GoMod), a path; nothing if it has none.
downloaded() {
  go mod download -json "$2@$3" | sed -n 's/^.*"'"$1"'": "\(.*\)".*$/\1/p'
}

# require MODULE VERSION: makes the module require it, with the Go version that it was made for. Sets upstream
# to its own list of modules.
require() {
  upstream=$(downloaded GoMod "$1" "$2")
  [ -f "$upstream" ] || fail "the Go module proxy does not give $1 $2"
  {
    echo "module countersign/$name"
    grep '^go ' "$upstream"
    echo "require $1 $2"
  } >go.mod
}

# build PROGRAM PACKAGE SYMBOLS: into the folder, atomically; nothing if it exists. The linker sets
# the version of programs: -X PACKAGE.SYMBOL=TEXT …
build() {
  [ ! -x "$folder/$1" ] || return 0
  echo "$name: building $1"
  go build -mod=mod -trimpath -buildvcs=false -o "$folder/$1.part" -ldflags "-s -w $3" "$2"
  mv "$folder/$1.part" "$folder/$1"
}

# finish: deletes the module.
finish() {
  cd "$folder"
  rm -rf "$module"
  echo "$name: built $VERSION in $folder"
}
