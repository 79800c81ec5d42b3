#!/bin/sh
# Counts the visit in Redis and says which replica answers.
password=$(cat /run/secrets/redis_password)
visit=$(printf 'AUTH %s\r\nINCR visits\r\nQUIT\r\n' "$password" | nc -w 2 redis 6379 | sed -n 's/^:\([0-9]*\).*/\1/p')
if [ -z "$visit" ]; then
	printf 'Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nRedis does not answer.\n'
	exit
fi
printf 'Content-Type: text/plain\r\n\r\nvisit %s, answered by %s\n' "$visit" "$(hostname)"
