#!/bin/sh
# Starts PostgreSQL as Compose files expect of a postgres image: a new data folder gets the superuser, password and database of
# POSTGRES_* (or of the files that POSTGRES_*_FILE name), and then what /docker-entrypoint-initdb.d has.
set -eu

# setting NAME DEFAULT prints the variable, or what is in the file that NAME_FILE names.
setting() {
	eval "value=\${$1-} file=\${$1_FILE-}"
	if [ -n "$value" ] && [ -n "$file" ]; then
		echo "$1 and $1_FILE are both set: give one" >&2
		return 1
	fi
	if [ -n "$file" ]; then
		value=$(cat "$file")
	fi
	printf '%s' "${value:-$2}"
}

query() {
	psql --set ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" "$@"
}

create_cluster() {
	if [ -n "$POSTGRES_PASSWORD" ]; then
		set -- --pwfile=/dev/stdin
	elif [ "$method" != trust ]; then
		echo "no password for the superuser: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" >&2
		exit 1
	fi
	# The arguments are several words on purpose.
	# shellcheck disable=SC2086
	printf '%s\n' "$POSTGRES_PASSWORD" |
		initdb --username="$POSTGRES_USER" --auth-local=trust --auth-host="$method" "$@" ${POSTGRES_INITDB_ARGS-}
	echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
	echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
}

run_init_files() {
	for file in /docker-entrypoint-initdb.d/*; do
		[ -f "$file" ] || continue
		echo "running $file"
		case $file in
		*.sql) query --dbname "$POSTGRES_DB" --file "$file" ;;
		*.sql.gz) gunzip -c "$file" | query --dbname "$POSTGRES_DB" ;;
		*.sh) sh "$file" ;;
		*) echo "$file is neither .sql, .sql.gz nor .sh: left alone" >&2 ;;
		esac
	done
}

# Until everything is in place the server is only reached by its socket.
create_content() {
	pg_ctl --wait --silent --options "-c listen_addresses=''" start
	if [ "$POSTGRES_DB" != postgres ]; then
		echo 'CREATE DATABASE :"name"' | query --dbname postgres --set name="$POSTGRES_DB"
	fi
	run_init_files
	pg_ctl --wait --silent --mode fast stop
}

case ${1-} in
-*) set -- postgres "$@" ;;
esac
if [ "${1-}" != postgres ]; then
	exec "$@"
fi

POSTGRES_USER=$(setting POSTGRES_USER postgres)
POSTGRES_PASSWORD=$(setting POSTGRES_PASSWORD '')
POSTGRES_DB=$(setting POSTGRES_DB "$POSTGRES_USER")
export POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB
unset POSTGRES_USER_FILE POSTGRES_PASSWORD_FILE POSTGRES_DB_FILE
method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}

if [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA"
	chmod 700 "$PGDATA"
	find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres {} +
	exec gosu postgres "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	create_cluster
	create_content
	echo "PostgreSQL is set up and starts for good now"
fi
exec "$@"
