// A push service, and the keys of a browser behind it: Node's own cryptography, after RFC 8188, 8291 and 8292.
import assert from "node:assert/strict";
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto";
import { createServer } from "node:http";

export class PushService {
  static async start() {
    const service = new PushService();
    service.pushed = [];
    service.listener = createServer((request, answer) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        service.pushed.push({ headers: request.headers, body: Buffer.concat(parts) });
        answer.writeHead(201).end();
      });
    });
    await new Promise((resolve) => service.listener.listen(0, "127.0.0.1", resolve));
    service.origin = `http://127.0.0.1:${service.listener.address().port}`;
    service.ecdh = createECDH("prime256v1");
    service.ecdh.generateKeys();
    service.auth = randomBytes(16);
    return service;
  }

  /** What `PushSubscription.toJSON()` would give. */
  subscription() {
    const keys = { p256dh: this.ecdh.getPublicKey("base64url"), auth: this.auth.toString("base64url") };
    return { endpoint: `${this.origin}/push/of-bert`, expirationTime: null, keys };
  }

  /** The texts of the pushes, once there are so many. */
  async texts(count) {
    while (this.pushed.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
    return this.pushed.map(({ headers, body }) => {
      this.check(headers.authorization);
      return this.open(body);
    });
  }

  open(body) {
    const [salt, length] = [body.subarray(0, 16), body[20]];
    const [sender, record] = [body.subarray(21, 21 + length), body.subarray(21 + length)];
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.ecdh.getPublicKey(), sender]);
    const secret = Buffer.from(hkdfSync("sha256", this.ecdh.computeSecret(sender), this.auth, info, 32));
    const derive = (name, bytes) => Buffer.from(hkdfSync("sha256", secret, salt, Buffer.from(`Content-Encoding: ${name}\0`), bytes));
    const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
    decipher.setAuthTag(record.subarray(-16));
    const text = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
    return text.subarray(0, text.lastIndexOf(2)).toString();
  }

  /** The signature of RFC 8292 must be good, and for this service. */
  check(authorization) {
    const [, header, claims, signature, key] = /^vapid t=([^.]+)\.([^.]+)\.([^,]+), k=(.+)$/.exec(authorization);
    const point = Buffer.from(key, "base64url");
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url"));
    const verifier = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
    const good = verify("sha256", Buffer.from(`${header}.${claims}`), { key: verifier, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
    assert.ok(good, "the signature");
    assert.equal(JSON.parse(Buffer.from(claims, "base64url").toString()).aud, this.origin);
  }

  end() {
    this.listener.close();
  }
}
