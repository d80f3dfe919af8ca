interface Policy {
  createScriptURL(url: string): string;
}

/** The browser's gate for addresses of code; not every browser has it. */
declare const trustedTypes: { createPolicy(name: string, rules: Policy): Policy } | undefined;

const WORKER = "/sw.js";

/** Has the browser keep the client, so that it opens without a network. Without that it works as well, online. */
export async function installWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const rules = {
    createScriptURL: (url: string) => {
      if (url !== WORKER) throw new TypeError("no other code than ours");
      return url;
    },
  };
  const policy = typeof trustedTypes === "undefined" ? rules : trustedTypes.createPolicy("kith", rules);
  await navigator.serviceWorker.register(policy.createScriptURL(WORKER)).catch(() => undefined);
}
