#!/usr/bin/env bash
# Two public suffix libraries disagree on whose host Chrome's push service is, and a host of S3 belongs to nobody.
#
# Packages   psl 1.15.0, tldts 7.6.0 (by its defaults, and with allowPrivateDomains)
# Behaviour  The private section of the public suffix list names googleapis.com. psl always counts that section, so FCM's
#            host fcm.googleapis.com is its own registrable domain, apart from every other host of Google; tldts leaves the
#            section out unless it is told, and answers googleapis.com. The push services of Mozilla, Apple and Microsoft
#            have the same answer everywhere. A host that is itself a suffix of the section, like s3.amazonaws.com, has no
#            registrable domain at all: null, though it resolves and takes requests.
# Meaning    A server that gives each registrable domain its share of pushes or of connections has other groups with each
#            library: with tldts' defaults everybody's Chrome shares one group with any bucket at storage.googleapis.com,
#            which anybody can rent. And it needs a group for hosts that have no such domain: the host itself.
# Seen       see `expected` below: host, psl, tldts, tldts with private suffixes
#
# Exits with 0 while this is so, with 1 once it has changed. Needs Node.js 20 and npm.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund psl@1.15.0 tldts@7.6.0

cat >look.mjs <<'JS'
import psl from "psl";
import { getDomain } from "tldts";
const hosts = [
  "fcm.googleapis.com",
  "storage.googleapis.com",
  "updates.push.services.mozilla.com",
  "web.push.apple.com",
  "wns2-par02p.notify.windows.com",
  "s3.amazonaws.com",
];
for (const host of hosts) {
  console.log(host, psl.get(host), getDomain(host), getDomain(host, { allowPrivateDomains: true }));
}
JS
seen=$(node look.mjs)
echo "$seen"
expected='fcm.googleapis.com fcm.googleapis.com googleapis.com fcm.googleapis.com
storage.googleapis.com storage.googleapis.com googleapis.com storage.googleapis.com
updates.push.services.mozilla.com mozilla.com mozilla.com mozilla.com
web.push.apple.com apple.com apple.com apple.com
wns2-par02p.notify.windows.com windows.com windows.com windows.com
s3.amazonaws.com null amazonaws.com null'
[ "$seen" = "$expected" ]
