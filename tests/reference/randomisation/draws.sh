#!/bin/sh
# The published draw vectors by OpenSSL: digests of the first twenty places, key 00 01 ... 1f, trial DEMO, no stratum.
# Run: sh draws.sh > draws.txt
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
echo "# $(openssl version | cut -d' ' -f1,2)"
for label in alloc/1 block/1; do
    place=1
    while [ "$place" -le 20 ]; do
        digest=$(
            {
                printf '%s\000DEMO\000\000' "$label"
                printf '\000\000\000\000\000\000\000'
                printf "\\$(printf '%03o' "$place")"
                printf '\000\000\000\000'
            } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" | sed 's/.*= //'
        )
        echo "$label $place $digest"
        place=$((place + 1))
    done
done
