#!/usr/bin/env bash
# repository.sh DIRECTORY [KEY]: makes the directory, with packages in it, one that apt can take them from: a flat repository.
# KEY: of gpg, by which it is signed; without one, whoever uses it has to say [trusted=yes]. A README there says all this.
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

# explain OPTION [COMMAND]: how apt is told of the place, after that command on the speaker.
explain() {
  cat <<README
Debian packages of tutti, and what makes this directory a repository for apt.

$(awk '/^Package: / { package = $2 } /^Version: / { version = $2 }
  /^Architecture: / { architecture = $2 } /^Description: / { sub(/^Description: /, ""); printf "%-12s %-8s %-6s %s\n", package, version, architecture, $0 }' Packages)

Installed by hand, on the machine that they are for (dpkg --print-architecture says what that is):

  sudo apt install ./tuttid_*.deb ./tutti-codecs_*.deb     a speaker
  sudo apt install ./tutti-hub_*.deb ./tutti-codecs_*.deb  the house's hub, on one machine

Or served by any web server of the house, say as http://server.local/tutti, and named on each speaker:
${2:+
  $2
}
  echo 'deb [$1] http://server.local/tutti ./' | sudo tee /etc/apt/sources.list.d/tutti.list
  sudo apt update
  sudo apt install tuttid tutti-codecs

Upgrades then come with all others. Packages and Release say what there is, for apt; "./dev package" makes all of it anew.
docs/install.md of the source goes on from here.
README
}
if [ -z "$key" ]; then
  explain trusted=yes >README
  exit 0
fi
explain signed-by=/etc/apt/keyrings/tutti.asc \
  'sudo wget -O /etc/apt/keyrings/tutti.asc http://server.local/tutti/tutti.asc' >README
gpg --batch --yes --local-user "$key" --armor --detach-sign --output Release.gpg Release
gpg --batch --yes --local-user "$key" --clearsign --output InRelease Release
gpg --batch --yes --armor --export "$key" >tutti.asc
