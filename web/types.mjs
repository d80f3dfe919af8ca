// Writes src/generated/ from a running server, or sees whether it is current: node types.mjs [--check] BASE_URL
import { mkdir, readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const check = process.argv[2] === "--check";
const [base] = process.argv.slice(check ? 3 : 2);
if (!base) {
  console.error("usage: node types.mjs [--check] BASE_URL");
  process.exit(2);
}

async function document(path) {
  const answer = await fetch(new URL(path, base));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** The messages of AsyncAPI are schemas like any other: OpenAPI's generator takes them as such. */
function asSchemas({ info, components }) {
  const messages = Object.entries(components.messages).map(([name, message]) => [name, message.payload]);
  return { openapi: "3.1.0", info, paths: {}, components: { schemas: { ...components.schemas, ...Object.fromEntries(messages) } } };
}

const folder = new URL("src/generated/", import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, schema] of [
  ["rest", await document("/v1/openapi.json")],
  ["frames", asSchemas(await document("/v1/asyncapi.json"))],
]) {
  const head = `// Made by "npm run types" from the server's ${name === "rest" ? "OpenAPI" : "AsyncAPI"} document. Not for editing.\n\n`;
  const file = new URL(`${name}.ts`, folder);
  const text = head + astToString(await openapiTS(schema));
  if (!check) await writeFile(file, text);
  else if ((await readFile(file, "utf8")) !== text) {
    console.error(`${file.pathname} is not what the server says: npm --prefix web run types ${base}`);
    process.exitCode = 1;
  }
}
