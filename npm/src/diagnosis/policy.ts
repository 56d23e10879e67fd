// Notes what the page's Content-Security-Policy forbids: no error says so, an event on the document does.

/** The latest ones: more than the client's own requests can cause before they are looked for. */
export const violations: SecurityPolicyViolationEvent[] = [];
const MOST = 20;
let watches = false;

/** Before the first request that a policy might forbid. */
export function watchPolicy(): void {
  if (watches) return;
  watches = true;
  globalThis.document?.addEventListener?.('securitypolicyviolation', (violation) => {
    violations.splice(MOST - 1);
    violations.unshift(violation);
  });
}
