#!/usr/bin/env bash
# Runs ocm beside other tools: the same content, the same registries, one run, alternating.
#
#   benches/compare.sh [--repeats N] [--sets many,large,small] [--flows m2m,m2d,d2m] [--keep]
#
#   many    60 images of 5 layers of 2 MiB, two of them shared by all: 364 MiB of distinct content
#   large   one image with one layer of 2 GiB
#   small   5,000 images of 4 KiB
#
#   m2m     registry to registry      beside skopeo sync, regsync, crane
#   m2d     registry to archive       beside curl -Z of the same blobs into files, then sync -f
#   d2m     archive to registry       beside push_alone: every blob of the same, and nothing else
#
# Each tool first fills an empty registry (or directory), then runs again with nothing to do.
# Wall and CPU (user + system, the tool's own processes) in seconds, peak memory of its largest
# process and peak disk in MiB: medians of the repeats. Requests are counted in the access log of
# the registry that is written to (in m2d: that is read).
#
# OCM names the binary (default: target/release/ocm, built if missing). Needs docker-registry, curl
# and time; skopeo, regsync and crane take part where they are found on PATH or in ~/go/bin.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
repeats=3 sets=many flows=m2m,m2d,d2m keep=
while [ $# -gt 0 ]; do
    case $1 in
    --repeats) repeats=$2 && shift ;;
    --sets) sets=$2 && shift ;;
    --flows) flows=$2 && shift ;;
    --keep) keep=yes ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" && exit 2 ;;
    esac
    shift
done
PATH=$PATH:${GOPATH:-$HOME/go}/bin

note() { printf '%s\n' "$*" >&2; }
die() { note "compare: $*" && exit 1; }
has() { command -v "$1" >/dev/null; }

has docker-registry || die 'docker-registry is missing: apt-get install docker-registry'
has curl || die 'curl is missing: apt-get install curl'
[ -x /usr/bin/time ] || die 'GNU time is missing: apt-get install time'
has skopeo || note 'skopeo takes no part: apt-get install skopeo'
for tool in regclient/regclient/cmd/regsync google/go-containerregistry/cmd/crane; do
    has "${tool##*/}" || note "${tool##*/} takes no part: go install github.com/$tool@latest"
done

# Where the disk is that shall be measured; /tmp may be memory.
work=$(mktemp -d "${TMPDIR:-$root/target}/compare.XXXXXX")
registries=()
clean() {
    for pid in "${registries[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [ -n "$keep" ] && note "kept: $work" || rm -rf "$work"
}
trap clean EXIT

fill=$root/target/release/examples/fill
push_alone=$root/target/release/examples/push_alone
ocm=${OCM:-$root/target/release/ocm}
note 'building what fills the registries, and the plain pusher'
(cd "$root" && cargo build --quiet --release -p ocm-benches --examples)
[ -n "${OCM:-}" ] || (cd "$root" && cargo build --quiet --release -p ocm-cli)
"$ocm" version >/dev/null 2>&1 || { note "ocm takes no part: $ocm does not run" && ocm=; }

# serve NAME: a registry on a free port, its files in $work/NAME, its access log in $work/NAME.log.
# Sets $address and $pid.
serve() {
    local try port
    mkdir -p "$work/$1"
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 12000))
        address=127.0.0.1:$port
        cat >"$work/$1.yaml" <<YAML
version: 0.1
log: { level: error, accesslog: { disabled: false } }
storage:
  cache: { blobdescriptor: inmemory }
  filesystem: { rootdirectory: $work/$1 }
  delete: { enabled: true }
http: { addr: $address }
YAML
        docker-registry serve "$work/$1.yaml" >"$work/$1.log" 2>"$work/$1.err" &
        pid=$!
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            # Ours, and not another that had the port before: ours logs the question.
            curl -sf -A "compare-$pid" "http://$address/v2/" >/dev/null || true
            grep -q "compare-$pid" "$work/$1.log" && { registries+=("$pid"); return; }
            sleep 0.1
        done
        kill "$pid" 2>/dev/null || true
    done
    die "no registry came up: see $work/$1.err after --keep"
}

stop() {
    local one rest=()
    kill "$1" && wait "$1" 2>/dev/null || true
    for one in "${registries[@]}"; do [ "$one" = "$1" ] || rest+=("$one"); done
    registries=("${rest[@]}")
}

# What the tools are told, from the lists of images and blobs that `fill` wrote.
describe() {
    local set=$1 from=$2
    {
        printf 'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n'
        printf 'mirror:\n  additionalImages:\n'
        awk -v from="$from" '{ print "  - name: " from "/" $1 ":" $2 }' "$work/$set.images"
    } >"$work/isc.yaml"
    awk -v from="$from" 'BEGIN { print "\"" from "\":\n  tls-verify: false\n  images:" }
        $1 != last { print "    " $1 ":"; last = $1 } { print "    - " $2 }' \
        "$work/$set.images" >"$work/skopeo.yaml"
    awk -v from="http://$from" -v to="$work/blobs" '{ sub("sha256:", "", $1);
        print "url = " from "/v2/" $3 "/blobs/sha256:" $1; print "output = " to "/" $1 }' \
        "$work/$set.blobs" >"$work/curl.list"
}

regsync_config() {
    printf 'version: 1\ncreds:\n'
    printf '  - { registry: "%s", tls: disabled }\n' "$1" "$2"
    printf 'defaults: { parallel: 4 }\nsync:\n'
    awk -v from="$1" -v to="$2" \
        '{ i = $1 ":" $2; print "  - { source: \"" from "/" i "\", target: \"" to "/" i "\", type: image }" }' \
        "$work/$3.images"
}

# measure SET FLOW TOOL WHEN LOG DIRECTORY COMMAND…: one line in the results.
# LOG is a registry's; DIRECTORY is watched for its size, if named.
measure() {
    local set=$1 flow=$2 tool=$3 when=$4 log=$5 directory=$6 before watch='' disk=0
    shift 6
    sync -f "$work"
    before=$(wc -l <"$work/$log.log")
    if [ -n "$directory" ]; then
        mkdir -p "$directory"
        while sleep 0.1; do du -s -B1 "$directory" 2>/dev/null | cut -f1; done >"$work/disk" &
        watch=$!
    fi
    /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >"$work/out" 2>&1 ||
        { tail -n 30 "$work/out" "$work/time" >&2 && die "$tool failed ($flow, $set)"; }
    if [ -n "$watch" ]; then
        kill "$watch" && wait "$watch" 2>/dev/null || true
        du -s -B1 "$directory" | cut -f1 >>"$work/disk"
        disk=$(sort -n "$work/disk" | tail -n 1)
    fi
    tail -n +$((before + 1)) "$work/$log.log" >"$work/requests"
    # Of an access log's line: 6 is the method, 7 the path, 9 the status.
    awk -v row="$set $flow $tool $when $(tail -n 1 "$work/time") $disk" '
        { method = substr($6, 2) }
        method == "PUT" && $7 ~ /\/blobs\/uploads\// && $9 == 201 { uploads++ }
        method == "POST" && $9 == 201 && $7 ~ /mount=/ { mounts++ }
        method == "POST" && $9 == 201 && $7 !~ /mount=/ { uploads++ }
        method == "PATCH" { patches++ }
        method == "HEAD" { heads++ }
        method == "GET" && $7 ~ /\/blobs\// { fetched++ }
        END { print row, NR + 0, uploads + 0, mounts + 0, patches + 0, heads + 0, fetched + 0 }
    ' "$work/requests" >>"$work/results"
    note "  $(tail -n 1 "$work/results")"
}

# The tags of $1 at the registry $2 must lead to the digests that they had; at most 100 are asked.
verify() {
    local every
    every=$(($(wc -l <"$work/$1.images") / 100 + 1))
    awk -v every="$every" 'NR % every == 0' "$work/$1.images" | while read -r name tag digest _; do
        curl -sI -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
            -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
            "http://$2/v2/$name/manifests/$tag" | grep -qi "^docker-content-digest: $digest" ||
            die "$name:$tag is not $digest at the target"
    done
}

insecure='--src-tls-verify=false --dest-tls-verify=false'

mirror_to_mirror() {
    local set=$1 from=$2 tool target to when
    for tool in ${ocm:+ocm} $(has skopeo && echo skopeo) $(has regsync && echo regsync) \
        $(has crane && [ "$set" != small ] && echo crane); do
        serve target && target=$pid to=$address
        regsync_config "$from" "$to" "$set" >"$work/regsync.yaml"
        awk -v from="$from" -v to="$to" '{ i = $1 ":" $2; print from "/" i, to "/" i }' \
            "$work/$set.images" >"$work/crane.list"
        for when in first again; do
            # shellcheck disable=SC2086
            case $tool in
            ocm) set -- "$ocm" -c "$work/isc.yaml" --workspace "file://$work/workspace" \
                "docker://$to" $insecure ;;
            skopeo) set -- skopeo sync $insecure --src yaml --dest docker \
                "$work/skopeo.yaml" "$to/bench" ;;
            regsync) set -- regsync once -c "$work/regsync.yaml" ;;
            crane) set -- xargs -a "$work/crane.list" -P 4 -n 2 crane copy --insecure ;;
            esac
            measure "$set" m2m "$tool" "$when" target '' "$@"
        done
        verify "$set" "$to"
        stop "$target"
        rm -rf "$work/target" "$work/workspace"
    done
}

mirror_to_disk() {
    local set=$1
    rm -rf "$work/blobs" "$work/archive"
    mkdir -p "$work/blobs"
    measure "$set" m2d curl first source "$work/blobs" sh -c \
        "curl -Z --parallel-max 8 -sS -K '$work/curl.list' && sync -f '$work/blobs'"
    [ -n "$ocm" ] || return 0
    # shellcheck disable=SC2086
    measure "$set" m2d ocm first source "$work/archive" \
        "$ocm" -c "$work/isc.yaml" "file://$work/archive" ${insecure%% *}
    note "  archive: $(du -s -B1 --apparent-size "$work/archive" | cut -f1) bytes"
}

disk_to_mirror() {
    local set=$1 target to
    [ -e "$work/blobs" ] || mirror_to_disk "$set"
    serve target && target=$pid to=$address
    measure "$set" d2m push_alone first target '' \
        "$push_alone" "http://$to" "$work/$set.blobs" "$work/blobs" 4
    stop "$target"
    rm -rf "$work/target"
    [ -n "$ocm" ] || return 0
    serve target && target=$pid to=$address
    for when in first again; do
        # shellcheck disable=SC2086
        measure "$set" d2m ocm "$when" target "$work/archive" "$ocm" -c "$work/isc.yaml" \
            --from "file://$work/archive" "docker://$to" ${insecure##* }
    done
    verify "$set" "$to"
    stop "$target"
    rm -rf "$work/target"
}

: >"$work/results"
for set in ${sets//,/ }; do
    serve source && source=$pid from=$address
    note "$set: filling $from"
    "$fill" "$set" "http://$from" "$work/$set.images" "$work/$set.blobs" >&2
    describe "$set" "$from"
    # Everybody reads what lies in memory already, the first no less than the last.
    find "$work/source" -type f -exec cat {} + >/dev/null
    for repeat in $(seq "$repeats"); do
        note "$set: repeat $repeat of $repeats"
        case ,$flows, in *,m2m,*) mirror_to_mirror "$set" "$from" ;; esac
        case ,$flows, in *,m2d,*) mirror_to_disk "$set" ;; esac
        case ,$flows, in *,d2m,*) disk_to_mirror "$set" ;; esac
    done
    stop "$source"
    rm -rf "$work/source" "$work/blobs" "$work/archive"
done

# Medians, and what ocm needs as a part of what the flow's yardstick needs.
sort -s -k1,3 -k4,4r "$work/results" | awk '
    function median(column,    i, j, t, v) {
        for (i = 1; i <= n; i++) v[i] = cell[i, column]
        for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j] < v[j-1]; j--) {
            t = v[j]; v[j] = v[j-1]; v[j-1] = t
        }
        return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    function flush() {
        if (!n) return
        split(key, k, " ")
        wall[key] = median(5); cpu[key] = median(14); memory[key] = median(8) / 1024
        printf "%-6s %-5s %-11s %-6s %8.2f %8.2f %8.1f %9.1f %9d %8d %7d %8d %6d %6d\n", k[1], k[2],
            k[3], k[4], wall[key], cpu[key], memory[key], median(9) / 1048576, median(10),
            median(11), median(12), median(13), median(15), median(16)
        keys[++count] = key; n = 0
    }
    BEGIN {
        printf "%-6s %-5s %-11s %-6s %8s %8s %8s %9s %9s %8s %7s %8s %6s %6s\n", "set", "flow",
            "tool", "run", "wall s", "CPU s", "mem MiB", "disk MiB", "requests", "uploads", "mounts",
            "patches", "heads", "blobs"
        yardstick["m2m"] = "skopeo"; yardstick["m2d"] = "curl"; yardstick["d2m"] = "push_alone"
    }
    { name = $1 " " $2 " " $3 " " $4; if (name != key) { flush(); key = name }
      n++; last = $15; for (i = 5; i <= 13; i++) cell[n, i] = $i
      cell[n, 14] = $6 + $7; cell[n, 15] = $14; cell[n, 16] = last }
    END {
        flush()
        for (i = 1; i <= count; i++) {
            split(keys[i], k, " ")
            base = k[1] " " k[2] " " yardstick[k[2]] " " k[4]
            if (k[3] != yardstick[k[2]] && base in wall)
                lines[++m] = sprintf("%-6s %-5s %-6s %s / %s: wall %.2f, CPU %.2f, memory %.2f",
                    k[1], k[2], k[4], k[3], yardstick[k[2]], wall[keys[i]] / (wall[base] + 1e-9),
                    cpu[keys[i]] / (cpu[base] + 1e-9), memory[keys[i]] / (memory[base] + 1e-9))
        }
        if (m) print ""
        for (i = 1; i <= m; i++) print lines[i]
    }'
