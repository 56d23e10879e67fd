// Finds the request that the page's Content-Security-Policy has forbidden.
import { violations } from './policy.js';

/**
 * The directive that forbids a request for one of these: a URL, or what a browser reports in its place, such as `ws` or
 * `wasm-eval`. Not the event, which may hold the whole URL, with its token.
 */
export async function violationBy(...requests: readonly string[]): Promise<string | undefined> {
  // The event may come a task later than the error of what was requested.
  await new Promise((done) => setTimeout(done));
  const isOurs = ({ blockedURI, disposition }: SecurityPolicyViolationEvent) =>
    disposition !== 'report' && requests.includes(blockedURI);
  return violations.find(isOurs)?.effectiveDirective;
}
