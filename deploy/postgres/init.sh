#!/bin/sh
# First start of the compose database: the owner role that migrates, the group that migrations grant to, and the role that services log in as.
set -eu
psql --set ON_ERROR_STOP=1 --set owner="$OWNER_PASSWORD" --set service="$SERVICE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE sever_owner LOGIN PASSWORD :'owner';
CREATE ROLE sever_app NOLOGIN;
CREATE ROLE sever_service LOGIN PASSWORD :'service' IN ROLE sever_app;
CREATE DATABASE sever OWNER sever_owner;
SQL
