#!/usr/bin/env bash
# Two emoji data sets that pickers are built on write 152 emojis with different bytes, among them 👆 👈 👉 and ✋.
#
# Packages   emojibase-data 17.0.0 (its field "unicode"), unicode-emoji-json 0.9.0 (its keys); Node.js with Unicode 17
# Behaviour  emojibase-data gives an emoji whose base character also has a text style as base + U+FE0F, even where the base
#            is shown as a picture by default and Unicode's emoji-test.txt lists the bare character as fully qualified.
#            unicode-emoji-json gives the fully qualified form. So U+1F446 U+FE0F is no \p{RGI_Emoji}, and U+1F446 is.
# Meaning    A messenger that uses the string of a picker as the key of a reaction counts the same picture twice, once for
#            each client, and a removal by the other client finds nothing. Keys are compared without U+FE0F, or are brought
#            into one form first.
# Seen       emojibase-data 1923, unicode-emoji-json 1914; in both 1914: 1762 of the same bytes, 152 of other bytes
#            not RGI: 152 of emojibase-data, 0 of unicode-emoji-json
#            e.g. 1f446-fe0f beside 1f446
#
# Exits with 0 while this is so, with 1 once it has changed. Needs Node.js 20 and npm.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund emojibase-data@17.0.0 unicode-emoji-json@0.9.0

cat >look.mjs <<'JS'
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
// Without a group stand the single regional indicators, which nobody picks.
const one = require("emojibase-data/en/compact.json").filter((emoji) => emoji.group !== undefined).map((emoji) => emoji.unicode);
const other = Object.keys(require("unicode-emoji-json/data-by-emoji.json"));
const bare = (emoji) => emoji.replaceAll("\ufe0f", "");
const byBare = new Map(other.map((emoji) => [bare(emoji), emoji]));
const both = one.filter((emoji) => byBare.has(bare(emoji)));
const different = both.filter((emoji) => byBare.get(bare(emoji)) !== emoji);
const unqualified = (emojis) => emojis.filter((emoji) => !/^\p{RGI_Emoji}$/v.test(emoji)).length;
const points = (emoji) => [...emoji].map((char) => char.codePointAt(0).toString(16)).join("-");
const up = different.find((emoji) => bare(emoji) === "\u{1f446}");
console.log(`emojibase-data ${one.length}, unicode-emoji-json ${other.length}; in both ${both.length}: ${both.length - different.length} of the same bytes, ${different.length} of other bytes`);
console.log(`not RGI: ${unqualified(one)} of emojibase-data, ${unqualified(other)} of unicode-emoji-json`);
console.log(`e.g. ${up && points(up)} beside ${up && points(byBare.get(bare(up)))}`);
JS
seen=$(node look.mjs)
echo "$seen"
expected='emojibase-data 1923, unicode-emoji-json 1914; in both 1914: 1762 of the same bytes, 152 of other bytes
not RGI: 152 of emojibase-data, 0 of unicode-emoji-json
e.g. 1f446-fe0f beside 1f446'
[ "$seen" = "$expected" ]
