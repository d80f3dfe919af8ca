import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Puts a compressed copy beside every file: the server has no work with it. */
function compressed(folder: string): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue;
        const path = join(file.parentPath, file.name);
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      }
    },
  };
}

export default defineConfig({
  build: {
    // The names of all emojis are one file, which is read when somebody looks for one.
    chunkSizeWarningLimit: 700,
    target: "es2022",
    // The server embeds this folder; the one around it is always there.
    outDir: "dist/client",
    emptyOutDir: true,
    // A policy without inline code: nothing is put into the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [compressed("dist/client")],
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8080", ws: true } } },
});
