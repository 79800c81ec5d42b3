#!/bin/sh
# Starts Redis as Compose files expect of a redis image: not as root, and reachable from other containers.
set -eu

case ${1-} in
-* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1-}" != redis-server ]; then
	exec "$@"
fi
if [ "$(id -u)" = 0 ]; then
	find . ! -user redis -exec chown redis {} +
	exec gosu redis "$0" "$@"
fi
shift
case ${1-} in
*.conf) ;; # a configuration of one's own has the say
-h | --help | -v | --version) ;;
*) set -- --protected-mode no "$@" ;;
esac
exec redis-server "$@"
