#!/usr/bin/env bash
# repository.sh DIRECTORY [KEY]: makes the directory, with packages in it, one that apt can take them from: a flat repository.
# KEY: of gpg, by which it is signed; without one, whoever uses it has to say [trusted=yes].
set -euo pipefail
cd "$1"
key=${2:-}
rm -f Packages Packages.gz Release Release.gpg InRelease tutti.asc
# All versions that lie there.
dpkg-scanpackages --multiversion . >Packages 2>scan.log || { cat scan.log >&2; exit 1; }
rm -f scan.log
gzip -9n -k Packages

release() {
  local file
  echo "Origin: tutti"
  echo "Label: tutti"
  echo "Date: $(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')"
  echo "Architectures: $(sed -n 's/^Architecture: //p' Packages | sort -u | tr '\n' ' ' | sed 's/ $//')"
  echo "SHA256:"
  for file in Packages Packages.gz; do
    printf ' %s %d %s\n' "$(sha256sum "$file" | cut -d' ' -f1)" "$(stat -c %s "$file")" "$file"
  done
}
release >Release
[ -n "$key" ] || exit 0
gpg --batch --yes --local-user "$key" --armor --detach-sign --output Release.gpg Release
gpg --batch --yes --local-user "$key" --clearsign --output InRelease Release
gpg --batch --yes --armor --export "$key" >tutti.asc
