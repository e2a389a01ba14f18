// `npm run audit`: known vulnerabilities of the production packages. Fails on any that scripts/audit-allowed.json does not
// allow with a reason, and on exceptions that are no longer needed. If the package index is unreachable, it says so.

import { sayAudit } from './lib/audit.mjs'
import { main } from './lib/log.mjs'

await main(async () => {
  const inOrder = await sayAudit()
  // AUDIT_REQUIRED: a skipped audit counts as a failure.
  if (inOrder === false || (inOrder === undefined && process.env.AUDIT_REQUIRED)) process.exitCode = 1
}, 'npm run audit     known vulnerabilities of the packages; AUDIT_REQUIRED=1: fail if the package index is unreachable')
