// Finds the request that the page's Content-Security-Policy has forbidden.
import { violations } from './policy.js';

/** A violation by a request for one of these: a URL, or what a browser reports in its place, such as `ws` or `wasm-eval`. */
export async function violationBy(
  ...requests: readonly string[]
): Promise<SecurityPolicyViolationEvent | undefined> {
  // The event may come a task later than the error of what was requested.
  await new Promise((done) => setTimeout(done));
  return violations.find(
    ({ blockedURI, disposition }) => disposition !== 'report' && requests.includes(blockedURI),
  );
}
