#!/bin/sh
# A PostgreSQL server of its own in a folder, for tests: Debian's package "postgresql" brings the programs.
#   postgresql.sh start FOLDER PORT    user tester, password geheim, database postgres, TCP on 127.0.0.1
#   postgresql.sh stop FOLDER          at once, as when it dies
#   postgresql.sh available            whether the programs are there
set -e
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
case "$1" in
available) [ -n "$programs" ] && exit 0 || exit 1 ;;
start)
  mkdir -p "$2"
  echo geheim > "$2/password"
  cat > "$2/run" <<RUN
"$programs/initdb" -D "$2/data" -A scram-sha-256 --pwfile="$2/password" -U tester -E UTF8 --locale=C.UTF-8 --no-sync > "$2/initdb.log" 2>&1 &&
echo "unix_socket_directories='$2'
port=$3
fsync=off
max_wal_size=4GB" >> "$2/data/postgresql.conf" &&
"$programs/pg_ctl" -D "$2/data" -l "$2/server.log" -w start > "$2/start.log" 2>&1
RUN
  # The server refuses to run as root.
  if [ "$(id -u)" = 0 ]; then
    chmod 755 "$2" && chown -R postgres "$2" && runuser -u postgres -- sh "$2/run"
  else
    sh "$2/run"
  fi ;;
stop)
  if [ "$(id -u)" = 0 ]; then
    runuser -u postgres -- "$programs/pg_ctl" -D "$2/data" -m immediate stop > /dev/null 2>&1
  else
    "$programs/pg_ctl" -D "$2/data" -m immediate stop > /dev/null 2>&1
  fi ;;
esac
