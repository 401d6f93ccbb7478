# Sourced in the machine by what the tests run there.
configure() { # FILE BACKEND_LINE NAME DEVICE [MIXER]
  printf '[backend]\nurl = http://127.0.0.1:8700\n%s\nname = %s\n[audio]\ndevice = %s\nmixer = %s\nvolume = 100\n' \
    "$2" "$3" "$4" "${5:-software}" >"/etc/tutti/$1"
  chgrp tutti "/etc/tutti/$1"
  chmod 640 "/etc/tutti/$1"
}
code() { tutti-hub session list | grep -oE '\b[0-9A-F]{6}\b' | head -1; }
status() { for who in "" "--instance two"; do tuttictl $who --json status 2>/dev/null | tr -d '\n\t'; echo; done; }
watch() { for _ in $(seq "$1"); do status; sleep 1; done; }
play() { # the track, from its beginning
  for _ in $(seq 50); do tuttictl --json status 2>/dev/null | tr -d '\n\t ' | grep -q '"connected":true' && break; sleep 0.2; done
  tuttictl playlist | grep -q harbour || tuttictl add /usr/local/lib/vm/harbour.mp3 >/dev/null
  tuttictl seek 0 >/dev/null
  tuttictl play >/dev/null
}
one() { # DEVICE [MIXER]: a host on it, playing
  halt
  configure tuttid.conf 'role = host' one "$1" "${2:-software}"
  systemctl start tuttid
  play
}
two() { # DEVICE DEVICE: a host and a guest, playing together
  halt
  configure tuttid.conf 'role = host' one "$1"
  systemctl start tuttid
  for _ in $(seq 50); do [ -n "$(code)" ] && break; sleep 0.2; done
  configure tuttid-two.conf "join_code = $(code)" two "$2"
  systemctl start tuttid@two
  sleep 1
  play
}
heard() { # SECONDS: until the speaker sounds, at most so long
  for _ in $(seq $(($1 * 20))); do
    tuttictl --json status 2>/dev/null | tr -d '\n\t ' | grep -qE '"error_us":-?[0-9]' && break; sleep 0.05
  done
}
halt() { systemctl stop tuttid tuttid@two; }
unload() { # every sound module, the core as well; prints how many of ALSA's lines the kernel still has
  for _ in 1 2 3 4 5; do for m in $(lsmod | awk '/^snd/{print $1}') soundcore; do rmmod "$m" 2>/dev/null; done; done
  grep -c alsa /proc/devices
}
