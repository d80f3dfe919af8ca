// Sends files to a Kith server as tus-js-client does: node tus.mjs http://127.0.0.1:8080

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { FileUrlStorage, Upload } from "tus-js-client";

const base = process.argv[2];
const MIB = 1024 * 1024;

function fail(error) {
  const got = error.actual === undefined ? "" : ` (got ${error.actual})`;
  console.log(`tus-js-client: FAILED: ${error.message.split("\n")[0]}${got}`);
  process.exit(1);
}
const watchdog = setTimeout(() => fail(new Error("not done after 60 s")), 60_000);

async function signUp(name) {
  const username = `${name}-${randomBytes(6).toString("hex")}`;
  const body = JSON.stringify({ username, password: "correct horse battery", device: { name: "tus", platform: "node" } });
  const answer = await fetch(`${base}/v1/users`, { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal(answer.status, 201, "a sign-up");
  return { authorization: `Bearer ${(await answer.json()).token}` };
}

/** Sends bytes; `before` may change the upload before it starts, `progress` is told how far it is. */
function send(bytes, headers, options = {}) {
  const { before, progress, endpoint = `${base}/v1/uploads`, ...others } = options;
  return new Promise((resolve, reject) => {
    const upload = new Upload(bytes, {
      endpoint,
      headers,
      retryDelays: [50, 200, 500, 1000, 1000],
      metadata: { filename: "notes.bin", filetype: "application/octet-stream" },
      onSuccess: () => resolve(upload),
      onError: reject,
      onProgress: (sent) => progress?.(upload, sent, reject),
      ...others,
    });
    (before?.(upload) ?? Promise.resolve()).then(() => upload.start(), reject);
  });
}

/** The status of the answer that refused an upload. */
async function refusal(...of) {
  const error = await send(...of).then(() => assert.fail("it was taken"), (error) => error);
  return error.originalResponse?.getStatus() ?? error.message;
}

/** Where an upload is, whichever network it came over. */
function place(upload) {
  return base + new URL(upload.url).pathname;
}

/** The media that an upload has become. */
async function become(upload, headers) {
  const answer = await fetch(place(upload), { headers });
  assert.equal(answer.status, 200, "the upload is told");
  const { media, length, offset } = await answer.json();
  assert.equal(offset, length, "all has come");
  return media;
}

/** Compares what is kept with what was sent. */
async function compare(upload, headers, bytes) {
  const media = await become(upload, headers);
  assert.equal(media.size, bytes.length, "its size");
  assert.equal(media.sha256, createHash("sha256").update(bytes).digest("hex"), "its hash");
  const answer = await fetch(`${base}/v1/media/${media.id}`, { headers });
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes), "the bytes that were sent");
  return media;
}

/** A network that breaks once, after so many bytes of a client. */
async function brittle(bytes) {
  const to = new URL(base);
  let left = bytes;
  const server = createServer((client) => {
    const kith = connect(Number(to.port), to.hostname);
    client.on("data", (data) => {
      left -= data.length;
      if (left < 0 && left + data.length >= 0) {
        kith.write(data.subarray(0, left + data.length));
        client.destroy();
        kith.destroy();
      } else kith.write(data);
    });
    kith.pipe(client);
    for (const [one, other] of [[client, kith], [kith, client]]) {
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { endpoint: `http://127.0.0.1:${server.address().port}/v1/uploads`, broke: () => left < 0, close: () => server.close() };
}

async function main(folder) {
  const [anna, bert] = [await signUp("anna"), await signUp("bert")];
  const file = randomBytes(11 * MIB + 5);

  // Aborted in the middle, as when a page is closed; another one finds it again and goes on.
  const urlStorage = new FileUrlStorage(join(folder, "urls.json"));
  const path = join(folder, "notes.bin");
  await writeFile(path, file);
  const stored = { urlStorage, chunkSize: 2 * MIB, storeFingerprintForResuming: true };
  let reached = 0;
  await send(createReadStream(path), anna, {
    ...stored,
    onChunkComplete: (_, accepted) => (reached = accepted),
    progress: (upload, sent, stopped) => sent > 5 * MIB && upload.abort().then(() => stopped(new Error("aborted"))),
  }).then(() => assert.fail("it was aborted"), (error) => assert.equal(error.message, "aborted"));
  assert.ok(reached >= 4 * MIB && reached < file.length, "some of it has come");
  let first;
  const resumed = await send(createReadStream(path), anna, {
    ...stored,
    before: async (upload) => {
      const [previous] = await upload.findPreviousUploads();
      assert.ok(previous, "it is found again");
      upload.resumeFromPreviousUpload(previous);
    },
    progress: (_, sent) => (first ??= sent),
  });
  assert.ok(first >= reached, "what has come is not sent again");
  const media = await compare(resumed, anna, file);
  assert.equal(media.name, "notes.bin");

  // In one request, on a network that breaks under it.
  const network = await brittle(7 * MIB);
  const survived = await send(file, anna, { endpoint: network.endpoint });
  assert.ok(network.broke(), "the network broke");
  network.close();
  assert.equal((await compare(survived, anna, file)).sha256, media.sha256);

  // With bytes in the first request, and after the last one again.
  const small = randomBytes(100_000);
  const quick = await send(small, anna, { uploadDataDuringCreation: true });
  await compare(quick, anna, small);
  const again = await send(small, anna, { uploadUrl: place(quick) });
  await compare(again, anna, small);

  // What is refused says why, and is not tried again.
  const lies = { metadata: { filetype: "image/png" } };
  assert.equal(await refusal(small, anna, lies), 415, "a lie about its type");
  const endless = new Readable({ read() {} });
  assert.equal(await refusal(endless, anna, { uploadSize: 2 ** 40, chunkSize: MIB }), 413, "too large");
  assert.equal(await refusal(small, { authorization: "Bearer none" }, {}), 401, "nobody");
  const others = await refusal(small, bert, { uploadUrl: place(quick), endpoint: null });
  assert.match(String(others), /404|unable to resume/, "somebody else's");

  // What is terminated is gone.
  let terminated;
  const progress = (upload, sent, stopped) => {
    if (sent === 0 || terminated) return;
    terminated = place(upload);
    upload.abort(true).then(() => stopped(new Error("terminated")), stopped);
  };
  await send(small, anna, { progress, chunkSize: 1000 })
    .then(() => assert.fail("it was terminated"), (error) => assert.equal(error.message, "terminated"));
  assert.equal((await fetch(terminated, { headers: anna })).status, 404, "it is gone");
}

const folder = await mkdtemp(join(tmpdir(), "kith-tus-"));
await main(folder).then(() => {
  clearTimeout(watchdog);
  console.log("tus-js-client: ok: 11 MiB in chunks aborted and resumed, in one request across a broken network; refusals 401, 404, 413, 415");
}, fail).finally(() => rm(folder, { recursive: true, force: true }));
process.exit(0);
