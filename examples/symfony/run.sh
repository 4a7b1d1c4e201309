#!/usr/bin/env bash
# Starts a server with a key, subscribes, publishes from PHP, and prints what the subscriber received.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${PORT:-3000}
hub="http://127.0.0.1:$port/.well-known/mercure"
export TIDINGS_PUBLISHER_KEY='a-secret-of-at-least-32-characters!' TIDINGS_ANONYMOUS=true
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

node dist/cli/main.js serve --port "$port" >"$folder/server.log" 2>&1 &
until curl -fs "http://127.0.0.1:$port/healthz" >/dev/null; do sleep 0.1; done
curl -sN "$hub?topic=https://example.com/books/1" >"$folder/received" &
until grep -q : "$folder/received"; do sleep 0.1; done

jwt=$(node dist/cli/main.js token --dialect 0.x --publish 'https://example.com/books/1')
MERCURE_URL=$hub MERCURE_JWT=$jwt php examples/symfony/publish.php 'Les Misérables'
until grep -q '^data' "$folder/received"; do sleep 0.1; done
grep '^data' "$folder/received"
