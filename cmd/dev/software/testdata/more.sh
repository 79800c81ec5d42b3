#!/bin/sh
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --command 'INSERT INTO t VALUES (8)'
