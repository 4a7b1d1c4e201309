#!/bin/sh
# Two servers on one Redis: what is published at one is read at the other. Everything is gone when it ends.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
port=${PORT:-5600}
started=
trap 'kill $started 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

npm run --silent build
redis-server --port "$port" --bind 127.0.0.1 --dir "$folder" --save '' --appendonly yes >"$folder/redis.log" &
started=$!
until redis-cli -p "$port" ping >"$folder/answer" 2>&1; do sleep 0.1; done
for number in 1 2; do
  node dist/cli/main.js serve --port $((port + number)) --store "redis://127.0.0.1:$port" --log-level warn &
  started="$started $!"
  until curl --fail --silent --output "$folder/answer" "http://127.0.0.1:$((port + number))/readyz"; do sleep 0.1; done
done

node dist/cli/main.js subscribe --url "http://127.0.0.1:$((port + 2))" --topic greetings --from earliest --count 3 &
reader=$!
for text in 'hello' 'from the first server' 'to the second'; do
  node dist/cli/main.js publish --url "http://127.0.0.1:$((port + 1))" --topic greetings "$text"
done
wait "$reader"
