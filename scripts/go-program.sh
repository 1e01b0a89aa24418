# What the scripts have in common that build programs of others out of the Go module proxy alone. They
# source it with these set: name (for messages), VERSION, and folder, where the programs are to be.

# The programs are there, so that nothing is left to do.
already_there() {
  echo "$name: $VERSION is in $folder"
  exit 0
}

# fail MESSAGE
fail() {
  echo "$name: $1" >&2
  exit 1
}

# start WHAT: a module of our own to build in, and the working directory from here on.
start() {
  command -v go >/dev/null || fail "no go on this machine; it builds $1"
  module=$folder/module
  mkdir -p "$module"
  cd "$module"
  unset GOFLAGS
  export GOWORK=off CGO_ENABLED=0
}

# downloaded FIELD MODULE VERSION: what go says of a module (Dir or GoMod), a path; nothing if it has none.
downloaded() {
  go mod download -json "$2@$3" | sed -n 's/^.*"'"$1"'": "\(.*\)".*$/\1/p'
}

# require MODULE VERSION: it is what our module requires, and is built with the Go that it was made for.
# Where its own list of modules is, upstream says afterwards.
require() {
  upstream=$(downloaded GoMod "$1" "$2")
  [ -f "$upstream" ] || fail "the Go module proxy does not give $1 $2"
  {
    echo "module countersign/$name"
    grep '^go ' "$upstream"
    echo "require $1 $2"
  } >go.mod
}

# build PROGRAM PACKAGE SYMBOLS: into the folder, whole or not at all; nothing where it is there. Only the
# linker tells programs their version: -X PACKAGE.SYMBOL=TEXT …
build() {
  [ ! -x "$folder/$1" ] || return 0
  echo "$name: building $1"
  go build -mod=mod -trimpath -buildvcs=false -o "$folder/$1.part" -ldflags "-s -w $3" "$2"
  mv "$folder/$1.part" "$folder/$1"
}

# finish: the module is of no more use.
finish() {
  cd "$folder"
  rm -rf "$module"
  echo "$name: built $VERSION in $folder"
}
