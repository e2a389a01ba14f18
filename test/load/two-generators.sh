#!/usr/bin/env bash
# Shows the load tools against a stage on this machine: two services and a worker behind nginx with TLS in one network
# namespace, and two load generators in namespaces of their own. First a rehearsal, then the same against services that
# do not consent, which must be refused. Needs root, nginx, openssl, redis-server. Options go to `npm run rehearse`:
#
#   test/load/two-generators.sh --clients 2000 --minutes 2.5 --scale 0.05 --speed 0.3
#
# WORKER_LANES: of the one worker [all]; validate,notify,maintain where this machine is too small for transcodes beside the crowd.
set -euo pipefail
cd "$(dirname "$0")/../.."
options=("$@")
[ $# -gt 0 ] || options=(--clients 60 --minutes 0.5 --scale 0.05)

dir=$(mktemp -d /tmp/songngan-stage-XXXXXX)
stage="sng-$$-stage" one="sng-$$-one" two="sng-$$-two"
address=10.77.0.1
url="https://$address:8443"
pids=()

# Ends what this script has started, newest first, and nothing else.
stop() {
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill -TERM "${pids[i]}" 2>/dev/null || true; done
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do wait "${pids[i]}" 2>/dev/null || true; done
  pids=()
}
finish() {
  stop
  for name in "$one" "$two" "$stage"; do
    # What is still in a namespace of this script is its own.
    for pid in $(ip netns pids "$name" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null || true; done
    ip netns del "$name" 2>/dev/null || true
  done
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

# within NAMESPACE COMMAND…: the command replaces the shell, so that its process id is known.
within() { exec ip netns exec "$@"; }
# start LOG NAMESPACE COMMAND…
start() {
  local log="$dir/$1.log"
  shift
  (within "$@") >"$log" 2>&1 &
  pids+=($!)
}
until_ready() {
  for _ in $(seq 600); do
    if (within "$stage" node -e "fetch('$1').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"); then return; fi
    sleep 0.2
  done
  echo "not ready: $1" && tail -n 20 "$dir"/*.log && exit 1
}

node scripts/build.mjs >/dev/null
for name in "$stage" "$one" "$two"; do
  ip netns add "$name"
  ip -n "$name" link set lo up
done
ip -n "$stage" link add bridge0 type bridge
ip -n "$stage" address add "$address/24" dev bridge0
ip -n "$stage" link set bridge0 up
number=1
for name in "$one" "$two"; do
  number=$((number + 1))
  ip -n "$stage" link add "port$number" type veth peer name eth0 netns "$name"
  ip -n "$stage" link set "port$number" master bridge0 up
  ip -n "$name" address add "10.77.0.$number/24" dev eth0
  ip -n "$name" link set eth0 up
done

# A certificate authority of one's own, and the stage's certificate.
mkdir "$dir/tls"
ec=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${ec[@]}" -days 2 -subj '/CN=Stage CA' -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
openssl req "${ec[@]}" -subj '/CN=stage' -keyout "$dir/tls/privkey.pem" -out "$dir/stage.csr" 2>/dev/null
openssl x509 -req -in "$dir/stage.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
  -extfile <(echo "subjectAltName=IP:$address") -out "$dir/tls/fullchain.pem" 2>/dev/null

# nginx as shipped, but for addresses and paths.
sed "s#/etc/nginx/tls#$dir/tls#" docker/tls/listen.conf.example >"$dir/tls/listen.conf"
sed -e "s#server service:8080 .*#server 127.0.0.1:8081 max_fails=2 fail_timeout=2s; server 127.0.0.1:8082 max_fails=2 fail_timeout=2s;#" \
  -e "s#/etc/nginx#$dir#; s#/tmp/nginx#$dir/nginx#; s#/dev/stdout#$dir/access.log#" \
  -e 's#worker_processes auto;#worker_processes 1;\ndaemon off;#' docker/nginx.conf >"$dir/nginx.conf"

secret() { openssl rand -hex 24; }
key=$(secret) load_test_secret=$(secret) ticket_secret=$(secret)
common=(env "DATA_DIR=$dir/data" "REDIS_URL=redis://127.0.0.1:6390" "API_KEYS=loadtest:$key" "TICKET_SECRET=$ticket_secret"
  HOST=127.0.0.1 "OPS_HOST=$address" TRUST_PROXY=127.0.0.1 PROCESSES=1 LOG_LEVEL=warn)
mkdir "$dir/data"

services() { # services ENVIRONMENT…: two of them
  for n in 1 2; do
    start "service$n" "$stage" "${common[@]}" "PORT=808$n" "OPS_PORT=947$n" "$@" node scripts/run.mjs service
  done
  for n in 1 2; do until_ready "http://$address:947$n/health/ready"; done
}

start redis "$stage" redis-server --port 6390 --bind 127.0.0.1 --dir "$dir" --appendonly yes --save ''
sleep 1
consent=("LOAD_TEST_SECRET=$load_test_secret" LOAD_TEST_MAX_CLIENTS=2000 LOAD_TEST_MAX_CLIENTS_PER_SECOND=80)
services "${consent[@]}"
start worker "$stage" "${common[@]}" "WORKER_LANES=${WORKER_LANES:-all}" OPS_PORT=9473 node scripts/run.mjs worker
start nginx "$stage" nginx -c "$dir/nginx.conf"
until_ready "http://$address:9473/health/ready"

rehearse() { # rehearse OPTIONS…: coordinates in the first namespace
  (within "$one" env "API_KEY=$key" "LOAD_TEST_SECRET=$load_test_secret" node scripts/run.mjs rehearse --scenario stage \
    --url "$url" --ca "$dir/ca.pem" --out "${OUT:-.cache/rehearsals}" "$@")
}

start generator2 "$two" env "LOAD_TEST_SECRET=$load_test_secret" bash -c \
  'for _ in $(seq 60); do node scripts/run.mjs rehearse --join 10.77.0.2:7400 --ca "$0" && exit 0; sleep 1; done' "$dir/ca.pem"
result=0
rehearse --ops-url "http://$address:9471,http://$address:9472" --listen 10.77.0.2:7400 --remote 1 "${options[@]}" || result=$?
echo "rehearsal: exit code $result"

echo
echo "The same stage without consent:"
stop
start redis "$stage" redis-server --port 6390 --bind 127.0.0.1 --dir "$dir" --appendonly yes --save ''
sleep 1
services
start nginx "$stage" nginx -c "$dir/nginx.conf"
sleep 1
refused=0
rehearse --clients 10 --minutes 0.1 || refused=$?
echo "refused: exit code $refused"
[ "$result" = 0 ] && [ "$refused" = 2 ]
