#!/bin/sh
# make_certs.sh DIR: an authority (ca.pem) and server certificates with their keys: good, expired,
# future (not yet valid), wronghost, and selfsigned, which no authority has signed.
set -eu
cd "$1"
mkdir -p ca
: > ca/index
echo 01 > ca/serial
cat > ca.cnf <<CNF
[ca]
default_ca = house
[house]
dir = ca
database = ca/index
new_certs_dir = ca
serial = ca/serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
CNF
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl req -x509 -new -key key.pem -days 3650 -subj /CN=test-authority -out ca.pem

# issue NAME SAN START END
issue() {
  openssl req -new -key key.pem -subj "/CN=$1" -addext "subjectAltName=$2" -out "$1.csr"
  openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile key.pem \
    -startdate "$3" -enddate "$4" -in "$1.csr" -out "$1.crt" 2>/dev/null
  cat key.pem "$1.crt" > "$1.pem"
}
issue good DNS:localhost,IP:127.0.0.1 20200101000000Z 21000101000000Z
issue expired DNS:localhost,IP:127.0.0.1 20200101000000Z 20210101000000Z
issue future DNS:localhost,IP:127.0.0.1 20990101000000Z 21000101000000Z
issue wronghost DNS:elsewhere.example 20200101000000Z 21000101000000Z
openssl req -x509 -new -key key.pem -days 3650 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -out selfsigned.crt
cat key.pem selfsigned.crt > selfsigned.pem
